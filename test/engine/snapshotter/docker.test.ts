/**
 * Docker, with its images in containerd, on Cleat's snapshotter, beside containerd's own overlayfs: everything has the
 * same digests.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { atNight } from "../../night.ts";
import { type Containerd, startContainerd } from "../../harness/containerd/containerd.ts";
import { contentOfImage, contentOfRunning, diffOf, identityOf, keepRunning } from "../../harness/engines/containers.ts";
import { type DockerOnContainerd, startDockerOnContainerd } from "../../harness/containerd/docker-on-containerd.ts";
import { layeredImage, writeLayeredArchive } from "../../harness/images/layered-image.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { registryAddress, startRegistry } from "../../harness/engines/registry.ts";
import { titleOf } from "../../harness/namespaces/release.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import { nothingLeft, snapshotterLeftovers } from "../../harness/containerd/snapshotter-leftovers.ts";
import { dockerRows, storageTitle } from "../../harness/containerd/snapshotter-rows.ts";
import { startSnapshotter, type SnapshotterProcess } from "../../harness/containerd/snapshotter.ts";
import { until } from "../../harness/processes/until.ts";

const pushed = `${registryAddress}/layered:latest`;
/** Nothing in it has a time of the day. */
const timeless = "cd /data && echo x > made && rm deleted && touch -d '2002-02-02 02:02:02' made .";

for (const storage of dockerRows) {
  const { release, driver, fileSystem, needs: own } = storage;
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox, needs.attr, ...own];
  describeWith(required, `${titleOf(release, "docker")} on ${storageTitle(storage, "containerd's overlayfs")}`, () => {
    let namespace: Namespace;
    let cleat: SnapshotterProcess | undefined;
    let containerd: Containerd;
    let archive: string;
    /** Does the same on containerd's own overlayfs. */
    let control: DockerOnContainerd;
    let engine: DockerOnContainerd;

    beforeAll(async () => {
      namespace = await openNamespace(release);
      archive = `${namespace.folder}/layered.tar`;
      await writeLayeredArchive(archive);
      await writeContext(namespace);
      await startRegistry(namespace);
      if (driver !== undefined) cleat = await startSnapshotter(namespace, { name: "cleat", driver, fileSystem });
      containerd = await startContainerd(namespace, { proxies: cleat === undefined ? [] : [cleat] });
      control = await startDockerOnContainerd(namespace, containerd, "overlayfs", "control");
      engine = await startDockerOnContainerd(namespace, containerd, cleat?.name ?? "overlayfs", "subject");
    });
    afterAll(() => namespace?.[Symbol.asyncDispose]());

    /** Does something on both, one after the other, and expects that it comes to the same; returns what it came to. */
    async function same<T>(work: (one: DockerOnContainerd) => Promise<T>): Promise<T> {
      const expected = await work(control);
      const seen = await work(engine);
      expect(seen).toEqual(expected);
      return seen;
    }

    test("an image that is loaded is the same, and holds the same", async () => {
      await same(async (one) => {
        await one.docker("load", "--quiet", "--input", archive);
        return [await identityOf(one, layeredImage), await contentOfImage(one, layeredImage)];
      });
      expect(await engine.docker("info", "--format", "{{.Driver}}")).toBe(engine.snapshotter);
    });

    test("what is saved is the same", async () => {
      await same(async (one) => {
        const saved = `${one.dockerd.dataRoot}/saved.tar`;
        await one.docker("save", "--output", saved, layeredImage);
        return namespace.run(["tar", "--list", `--file=${saved}`]);
      });
    });

    test("what is pushed is pulled again, with the same digest", async () => {
      await same(async (one) => {
        await one.docker("tag", layeredImage, pushed);
        await one.docker("push", "--quiet", pushed);
        await one.docker("rmi", "--force", pushed, layeredImage);
        expect(await one.docker("image", "ls", "--quiet")).toBe("");
        await one.docker("pull", "--quiet", pushed);
        await one.docker("tag", pushed, layeredImage);
        return [await identityOf(one, pushed), await contentOfImage(one, pushed)];
      });
    });

    test("a container sees its changes, and its diff tells them", async () => {
      await same(async (one) => {
        await keepRunning(one, "changed", layeredImage, sampleChanges.script);
        return [await contentOfRunning(one, "changed"), await diffOf(one, "changed")];
      });
      expect(await diffOf(engine, "changed")).toEqual(sampleChanges.diff);
    });

    test("a commit is a layer of the same digest, where it has no times of the day", async () => {
      const { layers } = await same(async (one) => {
        await one.docker("run", "--network=none", "--name=timeless", layeredImage, "sh", "-c", timeless);
        await one.docker("commit", "timeless", "committed");
        const { layers: all } = await identityOf(one, "committed");
        return { layers: all, content: await contentOfImage(one, "committed", "archived") };
      });
      expect(layers).toHaveLength(4);
    });

    test("a commit of every kind of change holds what the container does", async () => {
      await engine.docker("commit", "changed", "all-changes");
      const running = await contentOfRunning(engine, "changed", "archived");
      expect(await contentOfImage(engine, "all-changes", "archived")).toEqual(running);
    });

    test("what BuildKit builds holds the same, and has the same digests but for times of the day", async () => {
      const context = `${namespace.folder}/context`;
      const { blobs } = await same(async (one) => {
        await one.docker("build", "--network=none", "--tag=built", context);
        return { content: await contentOfImage(one, "built", "archived"), blobs: await timelessBlobs(one, context) };
      });
      // The layers, the image's configuration, its manifest.
      expect(blobs).toHaveLength(3 + 3 + 2);
    });

    test.runIf(atNight)("twenty containers run at once", async () => {
      const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
      await Promise.all(names.map((name) => keepRunning(engine, name, layeredImage, `echo ${name} > /data/mine`)));
      const mine = await Promise.all(names.map((name) => engine.docker("exec", name, "cat", "/data/mine")));
      expect(mine).toEqual(names);
      await engine.docker("rm", "--force", ...names);
    });

    describe("where containers outlive the daemon", () => {
      let pid: string;
      beforeAll(async () => {
        await engine.dockerd.end("SIGTERM");
        await engine.dockerd.start({ liveRestore: true });
        await engine.docker("start", "changed");
        pid = await pidOfChanged();
      });

      const pidOfChanged = () => engine.docker("inspect", "--format", "{{.State.Pid}}", "changed");

      /** The container never stopped, reads and writes, and its diff is what it was; another one can be made. */
      async function expectAlive(): Promise<void> {
        expect(await pidOfChanged()).toBe(pid);
        expect(await engine.docker("exec", "changed", "sh", "-c", "echo w > /data/added; cat /data/added")).toBe("w");
        expect(await diffOf(engine, "changed")).toEqual(sampleChanges.diff);
        const word = await engine.docker("run", "--rm", "--network=none", layeredImage, "cat", "/layers/replaced/two");
        expect(word).toBe("replaced/two");
      }

      async function untilReached(): Promise<void> {
        await until("Docker to reach its snapshots again", () =>
          diffOf(engine, "changed").then(
            () => true,
            () => undefined,
          ),
        );
      }

      test.each(["SIGTERM", "SIGKILL"] as const)("they go on when Docker gets %s", async (signal) => {
        await engine.dockerd.end(signal);
        await engine.dockerd.start({ liveRestore: true });
        await expectAlive();
      });

      test("they go on when containerd is killed", async () => {
        await containerd.end("SIGKILL");
        await containerd.start();
        await untilReached();
        await expectAlive();
      });

      if (driver !== undefined)
        test.each(["SIGTERM", "SIGKILL"] as const)("they go on when Cleat gets %s", async (signal) => {
          await cleat?.end(signal);
          // A container's mounts are the kernel's.
          const fromHost = `/proc/${pid}/root/data/written-meanwhile`;
          await namespace.run(["sh", "-c", `echo x > ${fromHost}; rm ${fromHost}`]);
          await cleat?.start();
          await untilReached();
          await expectAlive();
        });
    });

    test("nothing is left when everything is removed", async () => {
      const { docker } = engine;
      await docker("rm", "--force", ...(await docker("ps", "--all", "--quiet")).split("\n"));
      await docker("image", "prune", "--all", "--force");
      await docker("builder", "prune", "--all", "--force");
      await docker("system", "prune", "--all", "--force");
      expect(await docker("image", "ls", "--quiet")).toBe("");
      await until("containerd to have collected everything", async () =>
        (await engine.snapshots()).length === 0 ? true : undefined,
      );
      if (cleat !== undefined) expect(await snapshotterLeftovers(namespace, cleat)).toEqual(nothingLeft);
    });
  });
}

/** Digests of all that an image consists of, when its times are all the same. */
async function timelessBlobs({ docker, dockerd, namespace }: DockerOnContainerd, context: string): Promise<string[]> {
  const archive = `${dockerd.dataRoot}/timeless.tar`;
  const output = `--output=type=oci,dest=${archive},rewrite-timestamp=true`;
  const epoch = ["--build-arg=SOURCE_DATE_EPOCH=1000000000", "--provenance=false"];
  await docker("build", "--network=none", ...epoch, output, context);
  const listed = await namespace.run(["tar", "--list", `--file=${archive}`]);
  return listed.match(/blobs\/sha256\/[0-9a-f]{64}/g) ?? [];
}

async function writeContext({ folder }: Namespace): Promise<void> {
  await mkdir(`${folder}/context`);
  await writeFile(`${folder}/context/file`, "from the context\n");
  const steps = [
    "echo one > /data/one && rm /layers/kept",
    "rm -r /data/deleted-folder && rm /data/one && mkdir /data/deleted-folder && mv /data/copied /data/moved",
  ];
  const lines = [`FROM ${layeredImage}`, "COPY file /data/copied", ...steps.map((step) => `RUN ${step}`)];
  await writeFile(`${folder}/context/Dockerfile`, lines.join("\n"));
}
