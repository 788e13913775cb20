import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createLease, leaseHeader, writeBlob } from "../../../src/containerd/index.ts";
import { createRemoteSnapshotter, type Mount, type Snapshotter } from "../../../src/snapshotter/index.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { startContainerdWithClient, testNamespace } from "./containerd-client.ts";
import { type SnapshotterProcess, startSnapshotter } from "./snapshotter.ts";

/** Whose applier writes a layer's files. */
export type Applier = "containerd's own applier" | "Cleat's applier";

/** A containerd with Cleat's snapshots beside its own, for tests that make the calls of its unpacker themselves. */
export interface Unpacking extends AsyncDisposable {
  readonly proxy: SnapshotterProcess;
  /** Through containerd: what its own client sees of "cleat" or "overlayfs". */
  snapshotsOf(snapshotter: string): Snapshotter;
  /** Unpacks an archive into what the mounts show. */
  apply(archive: string, mounts: readonly Mount[]): Promise<void>;
  /** Mounts what a snapshot is told as, has `look` look into the folder, and unmounts it again. */
  whileMounted<Seen>(mounts: readonly Mount[], look: (folder: string) => Promise<Seen>): Promise<Seen>;
}

const leaseMs = 600_000;

export async function startUnpacking(namespace: Namespace, applier: Applier): Promise<Unpacking> {
  const isCleats = applier === "Cleat's applier";
  const differing = { arguments: isCleats ? ["--diff", "--apply"] : [] };
  const proxy = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2", ...differing });
  const options = { proxies: [proxy], ...(isCleats && { differ: proxy }) };
  const containerd = await startContainerdWithClient(namespace, options);
  const { client } = containerd;
  await client.services.namespaces.create({ namespace: { name: testNamespace } });
  const lease = await createLease(client, { expireMs: leaseMs });
  const target = `${namespace.folder}/mnt`;
  await mkdir(target);
  return {
    proxy,
    snapshotsOf(snapshotter) {
      const { channel, metadata } = client;
      return createRemoteSnapshotter({ channel, metadata, snapshotter });
    },
    async apply(archive, mounts) {
      const { digest, sizeBytes } = await writeBlob(client, createReadStream(archive), { lease });
      const diff = { digest, size: BigInt(sizeBytes), media_type: "application/vnd.oci.image.layer.v1.tar" };
      await client.services.diff.apply({ diff, mounts }, { metadata: { [leaseHeader]: lease } });
    },
    async whileMounted([mount], look) {
      const { type, source, options: told } = mount as Mount;
      const how = type === "bind" ? ["--bind"] : ["-t", type, "-o", told.join(",")];
      // The other way mount(8) hands over no value of 256 bytes and more, and lowest folders are long in a test's.
      await namespace.run(["env", "LIBMOUNT_FORCE_MOUNT2=always", "mount", ...how, source, target]);
      try {
        return await look(target);
      } finally {
        await namespace.run(["umount", target]);
      }
    },
    async [Symbol.asyncDispose]() {
      await containerd[Symbol.asyncDispose]();
      await proxy.end("SIGTERM");
    },
  };
}
