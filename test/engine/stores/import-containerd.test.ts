/** What Docker has in a data root comes into containerd as if it had been pulled there, on whatever snapshotter. */
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import { type Containerd, startContainerd } from "../../harness/containerd/containerd.ts";
import { createCtr, type Ctr } from "../../harness/containerd/ctr.ts";
import { writeDockerDataRoot } from "../../harness/images/docker-data-root.ts";
import { layeredImage, writeLayeredArchive } from "../../harness/images/layered-image.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { machine, titleOf } from "../../harness/namespaces/release.ts";
import { startSnapshotter } from "../../harness/containerd/snapshotter.ts";

/** By `cleat import --json`. */
interface Told {
  readonly images: readonly [{ readonly digest: string; readonly names: readonly object[] }];
  readonly sharedBytes: number;
  readonly copiedBytes: number;
}

const required = [...needsOf(machine, "containerd"), needs.overlay, needs.busybox, needs.attr];

describeWith(required, `images move to ${titleOf(machine, "containerd")}`, () => {
  let namespace: Namespace;
  let containerd: Containerd;
  let control: Ctr;
  let root: string;

  beforeAll(async () => {
    namespace = await openNamespace();
    root = `${namespace.folder}/docker`;
    const archive = `${namespace.folder}/layered.tar`;
    await writeLayeredArchive(archive);
    await writeDockerDataRoot(root, archive, [layeredImage, "short:1"]);
    const cleat = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2" });
    containerd = await startContainerd(namespace, { proxies: [cleat] });
    control = createCtr(namespace, containerd, { space: "control", snapshotter: "overlayfs" });
    await control.importImages(archive);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  /** Ends with 5 where something is damaged. */
  const cleatImport = (...args: string[]) =>
    namespace.run(["sh", "-c", '"$@" || [ $? = 5 ]', "import", ...cleatCommand, "import", root, ...args]);

  const bytesOfFiles = async () => {
    const files = await namespace.run([
      "sh",
      "-c",
      'find "$0"/overlay2/*/diff -type f -printf "%i %s\\n" | sort -u',
      root,
    ]);
    return files.split("\n").reduce((sum, line) => sum + Number(line.split(" ")[1] ?? 0), 0);
  };

  /** Whether files here can share blocks, as cp finds. */
  const canShare = async () => {
    const script = 'cd "$0" && echo 1 > 1 && cp --reflink=always 1 2 2> /dev/null && echo yes; rm -f 1 2';
    return (await namespace.run(["sh", "-c", script, namespace.folder])).includes("yes");
  };

  test.each(["overlayfs", "cleat"])("on %s, with what ctr's own import gives", async (snapshotter) => {
    const space = `to-${snapshotter}`;
    const subject = createCtr(namespace, containerd, { space, snapshotter });
    const place = [`--namespace=${space}`, `--snapshotter=${snapshotter}`];
    const told = JSON.parse(await cleatImport("--json", ...place)) as Told;
    expect(told.images[0].names).toEqual([
      { name: layeredImage, outcome: "made" },
      { name: "docker.io/library/short:1", outcome: "made" },
    ]);
    const [bytes, isShared] = [await bytesOfFiles(), await canShare()];
    expect([told.sharedBytes, told.copiedBytes]).toEqual(isShared ? [bytes, 0] : [0, bytes]);
    const targets = async (of: string) =>
      (await containerd.ctr(of, "images", "ls", `name==${layeredImage}`)).split("\n")[1];
    expect(await targets(space)).toBe(await targets("control")); // type, digest, size, platforms
    expect(await targets(space)).toContain(told.images[0].digest);
    expect((await subject.names()).toSorted()).toEqual((await control.names()).toSorted());
    expect(await containerd.ctr(space, "leases", "ls", "--quiet")).toBe("");
    expect(await containerd.ctr(space, "images", "check", "--quiet")).toContain(layeredImage); // complete
    expect(await subject.contentOfImage(layeredImage)).toEqual(await control.contentOfImage(layeredImage));
  });

  test("not where the snapshotter is none of containerd's", async () => {
    await expect(cleatImport("--snapshotter=missing")).rejects.toThrow(
      'containerd has no snapshotter "missing": cleat config containerd --write, then restart containerd',
    );
    expect(await containerd.ctr("moby", "content", "ls", "--quiet")).toBe("");
  });

  test("without a name only when that is asked for, under the one that Docker gives such an image", async () => {
    const names = `${root}/image/overlay2/repositories.json`;
    const kept = await readFile(names);
    await writeFile(names, "{}");
    const place = "--namespace=unnamed";
    expect(await cleatImport(place)).toContain("1 without a name left out; --unnamed imports them, too");
    expect(await containerd.ctr("unnamed", "images", "ls", "--quiet")).toBe("");
    expect(await cleatImport(place, "--unnamed")).toMatch(
      /<none> \(sha256:\w{12}\)\n(.*\n)*1 imported, 0 there already/,
    );
    const [line = ""] = (await containerd.ctr("unnamed", "images", "ls")).split("\n").slice(1);
    expect(line).toMatch(/^moby-dangling@(sha256:\w{64}) +\S+ +\1 /);
    expect(await cleatImport(place, "--unnamed")).toContain("0 imported, 1 there already");
    await writeFile(names, kept);
  });

  test("not while somebody has a file of the data root open", async () => {
    const script = 'exec 8< "$0"; sleep 60 & holder=$!; exec 8<&-; "$@"; code=$?; kill $holder; exit $code';
    const held = `${root}/image/overlay2/repositories.json`;
    const run = namespace.run(["sh", "-c", script, held, ...cleatCommand, "import", root]);
    await expect(run).rejects.toThrow(/is in use: process \d+ \(sleep\) has .*repositories.json" open/);
  });

  test("not what is damaged: nothing of the layer stays, and none of the image", async () => {
    await appendFile(`${root}/overlay2/layer-2/diff/layers/kept`, "more");
    const told = await cleatImport("--namespace=damaged");
    expect(told).toContain("layer 1 of 3");
    expect(told).toMatch(/ {2}not imported: .*layer "layer-2": file "\S*layers\/kept" has more than/);
    expect(told).toContain("0 imported, 0 there already, 0 left as they were, 1 failed");
    expect(await containerd.ctr("damaged", "images", "ls", "--quiet")).toBe("");
    expect(await containerd.ctr("damaged", "content", "active")).not.toContain("cleat-import");
    const blobs = (await containerd.ctr("damaged", "content", "ls", "--quiet")).split("\n").filter(Boolean);
    expect(blobs.length).toBeLessThan(2);
    await rm(`${root}/overlay2/layer-2`, { recursive: true });
    expect(await cleatImport("--namespace=damaged")).toContain("not imported: ");
    await writeFile(`${root}/image/overlay2/repositories.json`, "{}");
    expect(await cleatImport("--namespace=damaged")).toContain("1 without a name left out");
  });
});
