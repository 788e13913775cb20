/**
 * Layers that are unpacked side by side and laid on one another when they are committed, as containerd 2.2 does it and
 * none of Debian's does yet: its calls are made here, in its order, and the applier is a real containerd's. What comes
 * of it is compared with the same archives unpacked one on the other into containerd's own overlayfs.
 */
import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLease, leaseHeader, writeBlob } from "../../../src/containerd/index.ts";
import { createGrpcChannel } from "../../../src/grpc/index.ts";
import { createRemoteSnapshotter, type Mount, type Snapshotter } from "../../../src/snapshotter/index.ts";
import {
  type ContainerdWithClient,
  startContainerdWithClient,
  testNamespace,
} from "../../harness/containerd/containerd-client.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { forky } from "../../harness/namespaces/release.ts";
import { type SnapshotterProcess, startSnapshotter } from "../../harness/containerd/snapshotter.ts";
import { listTree } from "../../harness/images/tree-listing.ts";
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

for (const applier of ["containerd's own applier", "Cleat's applier"]) {
  describeWith([needs.root, needs.forky, needs.overlay], `layers that ${applier} unpacks side by side`, () =>
    testParallel(applier === "Cleat's applier"),
  );
}

function testParallel(isCleats: boolean): void {
  let namespace: Namespace;
  let proxy: SnapshotterProcess;
  let containerd: ContainerdWithClient;
  let lease: string;

  beforeAll(async () => {
    namespace = await openNamespace(forky);
    const differing = { arguments: isCleats ? ["--diff", "--apply"] : [] };
    proxy = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2", ...differing });
    const differ = isCleats ? { differ: proxy } : {};
    containerd = await startContainerdWithClient(namespace, { proxies: [proxy], ...differ });
    await containerd.client.services.namespaces.create({ namespace: { name: testNamespace } });
    lease = await createLease(containerd.client, { expireMs: 600_000 });
    await mkdir(`${namespace.folder}/mnt`);
    for (const layer of names) {
      const tree = `${namespace.folder}/${layer}`;
      await namespace.run(["mkdir", tree]);
      const pack = `shopt -s dotglob; tar --xattrs --sort=name -cf ${tree}.tar *`;
      await namespace.run(["bash", "-ec", `cd ${tree}; ${layers[layer]}; ${pack}`]);
    }
  });
  afterAll(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await proxy?.end("SIGTERM");
    await namespace?.[Symbol.asyncDispose]();
  });

  /** Unpacks a layer into what the mounts tell. */
  async function apply(layer: Layer, mounts: readonly Mount[]): Promise<void> {
    const { client } = containerd;
    const metadata = { [leaseHeader]: lease };
    const { digest, sizeBytes } = await writeBlob(client, createReadStream(`${namespace.folder}/${layer}.tar`), {
      lease,
    });
    const diff = { digest, size: BigInt(sizeBytes), media_type: "application/vnd.oci.image.layer.v1.tar" };
    await client.services.diff.apply({ diff, mounts }, { metadata });
  }

  async function treeIn([mount]: readonly Mount[]): Promise<readonly string[]> {
    const { type, source, options } = mount as Mount;
    const target = `${namespace.folder}/mnt`;
    const how = type === "bind" ? ["--bind"] : ["-t", type, "-o", options.join(",")];
    // The other way mount(8) hands over no value of 256 bytes and more, and lowest folders are long in a test's.
    await namespace.run(["env", "LIBMOUNT_FORCE_MOUNT2=always", "mount", ...how, source, target]);
    try {
      return await listTree(namespace.run, target);
    } finally {
      await namespace.run(["umount", target]);
    }
  }

  /** What each layer shows, unpacked one on the other. */
  async function oneByOne(): Promise<readonly (readonly string[])[]> {
    const { channel, metadata } = containerd.client;
    const snapshots = createRemoteSnapshotter({ channel, metadata, snapshotter: "overlayfs" });
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
