/**
 * Docker's images move into containerd: the newest Docker shows and runs what the oldest had on overlay2, and nothing
 * is pulled.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import { type Containerd, startContainerd } from "../../harness/containerd/containerd.ts";
import { contentOfImage, identityOf, runScript } from "../../harness/engines/containers.ts";
import { type DockerOnContainerd, startDockerOnContainerd } from "../../harness/containerd/docker-on-containerd.ts";
import { type Engine, startEngine } from "../../harness/engines/engine.ts";
import { layeredImage, writeLayeredArchive } from "../../harness/images/layered-image.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { forky } from "../../harness/namespaces/release.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import { startSnapshotter } from "../../harness/containerd/snapshotter.ts";
import { builtinOverlay2, cleatOverlay2, type Storage } from "../../harness/engines/storage.ts";
import { listTree } from "../../harness/images/tree-listing.ts";

const required = [...needsOf(forky, "docker"), needs.dockerd, needs.overlay, needs.busybox, needs.attr];
const committed = "committed:latest";
/** Has a file in its own layer that is not what it was. */
const damaged = "damaged:latest";
/** Docker's own namespace of containerd's. */
const space = "moby";

/** From what, to which driver of the snapshotter's. */
type Move = readonly [from: Storage, driver: string];
const moves = byDayOrNight<Move>(
  [],
  [
    [builtinOverlay2, "overlay2"],
    [cleatOverlay2, "overlay2"],
    [builtinOverlay2, "vfs"],
  ],
);

for (const [from, driver] of moves) {
  describeWith([...required, ...from.needs], `images of ${from.title} move to a snapshotter over ${driver}`, () => {
    let old: Namespace;
    let namespace: Namespace;
    let root: string;
    let containerd: Containerd;
    let engine: DockerOnContainerd;
    let before: Awaited<ReturnType<typeof observe>>;
    let source: readonly string[];

    beforeAll(async () => {
      old = await openNamespace(from.release);
      root = `${old.folder}/docker`;
      before = await fillDataRoot(old, from, root);
      source = await listTree(old.run, root);
      namespace = await openNamespace(forky);
      const snapshotter = await startSnapshotter(namespace, { name: "cleat", driver });
      containerd = await startContainerd(namespace, { proxies: [snapshotter] });
      engine = await startDockerOnContainerd(namespace, containerd, "cleat", space);
    });
    afterAll(async () => {
      await namespace?.[Symbol.asyncDispose]();
      await old?.[Symbol.asyncDispose]();
    });

    /** Ends with 5 where something is damaged. */
    const cleatImport = (...args: string[]) =>
      namespace.run(["sh", "-c", '"$@" || [ $? = 5 ]', "import", ...cleatCommand, "import", root, ...args]);

    test("what would be imported is told, and nothing is", async () => {
      const told = await cleatImport("--dry-run");
      expect(told).toContain("layer 1 of 4");
      expect(told.match(/would be imported/g)).toHaveLength(4 + 4 + 3);
      expect(await engine.docker("image", "ls", "--quiet")).toBe("");
      expect(await engine.snapshots()).toEqual([]);
    });

    test("an import that is killed goes on where it was", async () => {
      await killAfter(namespace, "layer 2 of", [...cleatCommand, "import", root]);
      const snapshots = await engine.snapshots();
      expect(snapshots.length).toBeGreaterThan(0);
      const told = await cleatImport();
      expect(told).toMatch(/layer 2 of .* there already/);
      expect(told).toContain("2 imported, 0 there already, 0 left as they were, 1 failed");
    });

    test("of an image that is damaged nothing is taken, and its other layers are not held", async () => {
      const told = await cleatImport(`--image=${damaged}`);
      expect(told).toMatch(/layer 3 of 4 .* there already\n {2}not imported: .* file "data\/victim" has the CRC-64 /);
      expect(await engine.docker("image", "ls", "--quiet", damaged)).toBe("");
      await namespace.run([...cleatCommand, "snapshots", "gc"]);
      const digests = await containerd.ctr(space, "content", "ls", "--quiet");
      expect(digests.split("\n")).toHaveLength(4 + 2 + 2); // layers, configurations, manifests
      expect(await containerd.ctr(space, "content", "active")).not.toContain("cleat-import");
      // The killed one may have been unpacking something, which stays until its lease expires.
      expect((await engine.snapshots()).filter((name) => name.startsWith("sha256:"))).toHaveLength(4);
    });

    test("they have the same layers, and hold the same", async () => {
      expect(await observe(engine)).toEqual(before);
    });

    test("they can be saved, with the layers that they had", async () => {
      const saved = `${namespace.folder}/saved.tar`;
      await engine.docker("save", "--output", saved, layeredImage, committed);
      const names = await namespace.run(["tar", "--list", `--file=${saved}`]);
      for (const diffId of before.committed.layers) expect(names).toContain(diffId.replace("sha256:", "blobs/sha256/"));
    });

    test("imported again they are there, and a name that has another image keeps it", async () => {
      expect(await cleatImport()).toContain("0 imported, 2 there already, 0 left as they were, 1 failed");
      await engine.docker("tag", layeredImage, committed);
      expect(await cleatImport(`--image=${committed}`)).toContain("0 imported, 0 there already, 1 left");
      expect((await identityOf(engine, committed)).layers).toEqual(before.layered.layers);
    });

    test("what has a name stays when containerd collects", async () => {
      await engine.docker("rmi", committed);
      await cleatImport(`--image=${committed}`);
      await namespace.run([...cleatCommand, "snapshots", "gc"]);
      expect(await observe(engine)).toEqual(before);
    });

    test("the data root is as it was", async () => {
      expect(await listTree(old.run, root)).toEqual(source);
    });
  });
}

/** Two images that share layers, in a data root whose daemon has ended. */
async function fillDataRoot(namespace: Namespace, storage: Storage, root: string) {
  const engine: Engine = await startEngine(namespace, storage, root);
  const archive = `${namespace.folder}/layered.tar`;
  await writeLayeredArchive(archive);
  await engine.docker("load", "--quiet", "--input", archive);
  await runScript(engine, "changed", layeredImage, sampleChanges.script);
  await engine.docker("commit", "changed", committed);
  await runScript(engine, "victim", layeredImage, "echo whole > /data/victim");
  await engine.docker("commit", "victim", damaged);
  await engine.docker("rm", "changed", "victim");
  const observed = await observe(engine);
  await engine.dockerd.end("SIGTERM");
  await engine.cleat?.end("SIGTERM");
  await namespace.run(["sh", "-c", 'echo other | tee "$0"/*/diff/data/victim', engine.home]);
  return observed;
}

async function observe(engine: Pick<Engine, "docker" | "namespace">) {
  return {
    layered: { layers: (await identityOf(engine, layeredImage)).layers },
    layeredContent: await contentOfImage(engine, layeredImage),
    committed: { layers: (await identityOf(engine, committed)).layers },
    committedContent: await contentOfImage(engine, committed),
  };
}

/** Runs a command until it has printed `text`, and kills it then. */
async function killAfter(namespace: Namespace, text: string, argv: readonly string[]): Promise<void> {
  const script =
    'cd /; log=$1; text=$2; shift 2; "$@" > "$log" & until grep -q "$text" "$log"; do sleep 0.01; done; kill -9 $!';
  await namespace.run(["bash", "-c", script, "kill-after", `${namespace.folder}/killed.log`, text, ...argv]);
}
