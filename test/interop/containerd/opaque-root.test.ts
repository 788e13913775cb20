import { mkdir, readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Mount, Snapshotter } from "../../../src/snapshotter/index.ts";
import { startUnpacking, type Unpacking } from "../../harness/containerd/unpacking.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { forky, machine } from "../../harness/namespaces/release.ts";
import { describeWith, needs, needsOf } from "../../needs.ts";

/** What there is below, and a layer of which the archive says that it hides all of that, at its root. */
const lowerFiles = ["a", "d/below", "e/below", "f"];
const upperFiles = [".wh..wh..opq", "d/own", "f", "new"];
const shownThen = ["./d/own", "./f", "./new"];

const subjects = [
  { release: machine, applier: "containerd's own applier" },
  { release: forky, applier: "containerd's own applier" },
  { release: forky, applier: "Cleat's applier" },
] as const;

for (const subject of subjects) {
  const { release, applier } = subject;
  const version = release === machine ? "this machine" : release.suite;
  const required = [needs.root, ...needsOf(release, "containerd"), needs.overlay];
  describeWith(required, `an opaque root that ${applier} on ${version} unpacks`, () => testOpaqueRoot(subject));
}

function testOpaqueRoot({ release, applier }: (typeof subjects)[number]): void {
  let namespace: Namespace;
  let unpacking: Unpacking;

  beforeAll(async () => {
    namespace = await openNamespace(release);
    unpacking = await startUnpacking(namespace, applier);
    for (const [name, files] of [["lower", lowerFiles] as const, ["upper", upperFiles] as const]) {
      for (const file of files) {
        const path = `${namespace.folder}/${name}/${file}`;
        await mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        await writeFile(path, name);
      }
      const tree = `${namespace.folder}/${name}`;
      await namespace.run(["tar", "-C", tree, "-cf", `${tree}.tar`, ...(await readdir(tree)).toSorted()]);
    }
  });
  afterAll(async () => {
    await unpacking?.[Symbol.asyncDispose]();
    await namespace?.[Symbol.asyncDispose]();
  });

  function filesIn(mounts: readonly Mount[]): Promise<string[]> {
    return unpacking.whileMounted(mounts, async (folder) => {
      const found = await namespace.run(["sh", "-c", `cd ${folder}; find . ! -type d`]);
      return found.split("\n").filter(Boolean).toSorted();
    });
  }

  /** Two layers as containerd's unpacker makes them; what the upper one shows. */
  async function unpack(snapshotter: string): Promise<{ snapshots: Snapshotter; shown: string[] }> {
    const snapshots = unpacking.snapshotsOf(snapshotter);
    const labels = { "containerd.io/gc.root": "1" };
    let parent: string | undefined;
    for (const name of ["lower", "upper"]) {
      const key = `extract-1 ${name}`;
      const ref = { ...labels, "containerd.io/snapshot.ref": name };
      const mounts = await snapshots.prepare(key, { labels: ref, parent });
      await unpacking.apply(`${namespace.folder}/${name}.tar`, mounts);
      await snapshots.commit(name, key, { labels });
      parent = name;
    }
    return { snapshots, shown: await filesIn(await snapshots.view("view", { parent, labels })) };
  }

  it("hides what lies below, in containers and in diffs", async () => {
    const { snapshots, shown } = await unpack("cleat");
    expect(shown).toEqual(shownThen);
    const container = await snapshots.prepare("container", {
      parent: "upper",
      labels: { "containerd.io/gc.root": "1" },
    });
    expect(await filesIn(container)).toEqual(shownThen);
  });

  it("does not in containerd's own overlayfs", async () => {
    const { shown } = await unpack("overlayfs");
    expect(shown).toEqual(["./a", "./d/below", "./d/own", "./e/below", "./f", "./new"]);
  });
}
