import { createGrpcClient, type GrpcChannel, type GrpcClientOptions } from "../../grpc/index.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { snapshotsService } from "../../containerd/index.ts";
import { fromWireInfo, fromWireMount } from "./wire-shapes.ts";

export interface RemoteSnapshotterOptions extends GrpcClientOptions {
  /** The peer's socket. Stays its maker's to close. */
  readonly channel: GrpcChannel;
  /**
   * Which of containerd's snapshotters is meant, where the peer is containerd: "overlayfs". It wants the header
   * `containerd-namespace` in `metadata`, too.
   */
  readonly snapshotter?: string;
}

/** A snapshotter behind a socket: Cleat's, another proxy snapshotter, or one of containerd's own. */
export function createRemoteSnapshotter(options: RemoteSnapshotterOptions): Snapshotter {
  const { channel, snapshotter = "", ...clientOptions } = options;
  const client = createGrpcClient(snapshotsService, channel, clientOptions);
  return {
    async prepare(key, { parent, labels }, call) {
      return (await client.prepare({ snapshotter, key, parent, labels }, call)).mounts.map(fromWireMount);
    },
    async view(key, { parent, labels }, call) {
      return (await client.view({ snapshotter, key, parent, labels }, call)).mounts.map(fromWireMount);
    },
    async mounts(key, call) {
      return (await client.mounts({ snapshotter, key }, call)).mounts.map(fromWireMount);
    },
    async commit(name, key, { labels, parent }, call) {
      await client.commit({ snapshotter, name, key, labels, parent }, call);
    },
    async remove(key, call) {
      await client.remove({ snapshotter, key }, call);
    },
    async stat(key, call) {
      return fromWireInfo((await client.stat({ snapshotter, key }, call)).info);
    },
    async update(name, { labels, paths = [] }, call) {
      const update_mask = paths.length > 0 ? { paths } : undefined;
      return fromWireInfo((await client.update({ snapshotter, info: { name, labels }, update_mask }, call)).info);
    },
    async *list(filters = [], call) {
      for await (const { info } of client.list({ snapshotter, filters }, call)) yield* info.map(fromWireInfo);
    },
    async usage(key, call) {
      const { size, inodes } = await client.usage({ snapshotter, key }, call);
      return { sizeBytes: Number(size), inodes: Number(inodes) };
    },
    async cleanup(call) {
      await client.cleanup({ snapshotter }, call);
    },
    close: async () => {},
  };
}
