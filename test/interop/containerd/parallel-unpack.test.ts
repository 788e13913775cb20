/**
 * Layers that are unpacked side by side and laid on one another when they are committed, as containerd 2.2 does it and
 * none of Debian's does yet: its calls are made here, in its order, and the applier is a real containerd's. What comes
 * of it is compared with the same archives unpacked one on the other into containerd's own overlayfs.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createGrpcChannel } from "../../../src/grpc/index.ts";
import { createRemoteSnapshotter, type Mount, type Snapshotter } from "../../../src/snapshotter/index.ts";
import { testNamespace } from "../../harness/containerd/containerd-client.ts";
import { type Applier, startUnpacking, type Unpacking } from "../../harness/containerd/unpacking.ts";
import { listTree } from "../../harness/images/tree-listing.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { forky } from "../../harness/namespaces/release.ts";
import { describeWith, needs } from "../../needs.ts";

/** The lowest first. Markers are empty files; a folder in an archive comes with its own mode and owner. */
const layers = {
  base:
    "mkdir -p etc old/sub gone/sub opaque/sub/deep was-folder/sub kept/deep; echo a > etc/a; echo b > etc/b; " +
    "echo o > old/sub/o; echo g > gone/sub/g; echo h > opaque/h; echo s > opaque/sub/deep/s; " +
    "echo w > was-folder/sub/w; echo f > was-file; ln etc/a etc/a-too; echo k > kept/deep/k; " +
    "chmod 1777 kept; chown 12:34 kept/deep",
  middle:
    "mkdir -p etc opaque/sub was-file kept/deep; : > etc/.wh.b; : > .wh.gone; : > opaque/.wh..wh..opq; " +
    "echo new > opaque/new; echo n > opaque/sub/n; : > .wh.was-file; echo in > was-file/in; echo now > was-folder; " +
    "chmod 1777 kept; chown 12:34 kept/deep; echo more > kept/deep/more; mkdir -p added/deep; echo d > added/deep/d; " +
    "ln added/deep/d added/d-too",
  top:
    "mkdir -p added etc gone opaque; : > added/.wh.deep; echo again > etc/b; echo back > gone/back; " +
    "echo h2 > opaque/h; : > opaque/.wh.new; setfattr -n user.mark -v yes opaque/h; mknod null c 1 3",
};
type Layer = keyof typeof layers;
const names = Object.keys(layers) as Layer[];

for (const applier of ["containerd's own applier", "Cleat's applier"] as const) {
  describeWith([needs.root, needs.forky, needs.overlay], `layers that ${applier} unpacks side by side`, () =>
    testParallel(applier),
  );
}

function testParallel(applier: Applier): void {
  let namespace: Namespace;
  let unpacking: Unpacking;

  beforeAll(async () => {
    namespace = await openNamespace(forky);
    unpacking = await startUnpacking(namespace, applier);
    for (const layer of names) {
      const tree = `${namespace.folder}/${layer}`;
      await namespace.run(["mkdir", tree]);
      const pack = `shopt -s dotglob; tar --xattrs --sort=name -cf ${tree}.tar *`;
      await namespace.run(["bash", "-ec", `cd ${tree}; ${layers[layer]}; ${pack}`]);
    }
  });
  afterAll(async () => {
    await unpacking?.[Symbol.asyncDispose]();
    await namespace?.[Symbol.asyncDispose]();
  });

  const apply = (layer: Layer, mounts: readonly Mount[]) => unpacking.apply(`${namespace.folder}/${layer}.tar`, mounts);
  const treeIn = (mounts: readonly Mount[]) =>
    unpacking.whileMounted(mounts, (folder) => listTree(namespace.run, folder));

  /** What each layer shows, unpacked one on the other. */
  async function oneByOne(): Promise<readonly (readonly string[])[]> {
    const snapshots = unpacking.snapshotsOf("overlayfs");
    const labels = { "containerd.io/gc.root": "1" };
    const trees: (readonly string[])[] = [];
    let parent: string | undefined;
    for (const layer of names) {
      await apply(layer, await snapshots.prepare(`extract-1 ${layer}`, { labels, parent }));
      await snapshots.commit(layer, `extract-1 ${layer}`, { labels });
      trees.push(await treeIn(await snapshots.view(`view ${layer}`, { parent: layer, labels })));
      parent = layer;
    }
    return trees;
  }

  /** The same; source: containerd v2.2.0 `core/unpack/unpacker.go` `unpack`, `core/metadata/snapshot.go` `Commit`. */
  async function sideBySide(snapshots: Snapshotter): Promise<void> {
    const keyOf = (layer: Layer) => `${testNamespace}/1/extract-1 ${layer}`;
    const refOf = (layer: Layer) => ({ "containerd.io/snapshot.ref": layer });
    const prepared = names.map(async (layer) => {
      await apply(layer, await snapshots.prepare(keyOf(layer), { labels: refOf(layer) }));
    });
    await Promise.all(prepared);
    let parent: string | undefined;
    for (const layer of names) {
      const name = `${testNamespace}/2/${layer}`;
      await snapshots.commit(name, keyOf(layer), { labels: refOf(layer), ...(parent !== undefined && { parent }) });
      parent = name;
    }
  }

  it("show what they show when they are unpacked one on the other, also after a restart", async () => {
    const { proxy } = unpacking;
    const expected = await oneByOne();
    const treesOf = async (snapshots: Snapshotter, when: string) => {
      const trees: (readonly string[])[] = [];
      for (const layer of names) {
        const parent = `${testNamespace}/2/${layer}`;
        trees.push(await treeIn(await snapshots.prepare(`${testNamespace}/3/${when} ${layer}`, { parent })));
      }
      return trees;
    };
    {
      await using channel = createGrpcChannel({ unix: namespace.reach(proxy.socket) });
      const snapshots = createRemoteSnapshotter({ channel });
      await sideBySide(snapshots);
      expect(await treesOf(snapshots, "before")).toEqual(expected);
    }
    await proxy.end("SIGKILL");
    await proxy.start();
    await using channel = createGrpcChannel({ unix: namespace.reach(proxy.socket) });
    expect(await treesOf(createRemoteSnapshotter({ channel }), "after")).toEqual(expected);
  });
}
