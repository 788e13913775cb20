import { dirname, join } from "node:path";
import { CleatError } from "../../errors/index.ts";
import { type GrpcCall, implementService, type ImplementedService, type MessageIn } from "../../grpc/index.ts";
import type { Mount, SnapshotInfo, Snapshotter } from "../snapshotter.ts";
import { type infoMessage, snapshotsService } from "../../containerd/index.ts";
import { createOneEngine } from "./one-engine.ts";
import { createServedName, type ServedNameOptions } from "./served-name.ts";
import { toWireInfo, toWireMount } from "./wire-shapes.ts";

/**
 * A snapshotter as containerd's service, which `serveGrpc` serves. Anybody may look; changes are FAILED_PRECONDITION
 * under a second of containerd's names while there are snapshots of the first (`served-name.ts`), and from another
 * engine while the first that changed something runs, also once this process is another (`one-engine.ts`). A namespace
 * is not looked at: keys begin with it, and not every containerd sends the header.
 */
export function createSnapshotsService(snapshotter: Snapshotter, options: ServedNameOptions = {}): ImplementedService {
  const served = createServedName(snapshotter, options);
  const { file, logger } = options;
  const engine = createOneEngine({ file: file && join(dirname(file), servedToFile), logger });
  /** Whoever may connect may look. */
  const changing = async <T>(name: string, call: GrpcCall, change: () => Promise<T>): Promise<T> => {
    if (name === "") return change(); // who names none is no containerd, and collects nothing
    return served.within(name, async () => {
      await engine.assert(call); // not of who is refused for its name
      return change();
    });
  };
  return implementService(snapshotsService, {
    async prepare({ snapshotter: name, key, parent, labels }, call) {
      const mounts = await changing(name, call, () => snapshotter.prepare(key, { parent, labels }, call));
      return { mounts: toWireMounts(key, mounts) };
    },
    async view({ snapshotter: name, key, parent, labels }, call) {
      const mounts = await changing(name, call, () => snapshotter.view(key, { parent, labels }, call));
      return { mounts: toWireMounts(key, mounts) };
    },
    async mounts({ key }, call) {
      return { mounts: toWireMounts(key, await snapshotter.mounts(key, call)) };
    },
    async commit({ snapshotter: containerds, name, key, labels, parent }, call) {
      await changing(containerds, call, () => snapshotter.commit(name, key, { labels, parent }, call));
      return {};
    },
    async remove({ snapshotter: name, key }, call) {
      await changing(name, call, () => snapshotter.remove(key, call));
      return {};
    },
    async stat({ key }, call) {
      return { info: toWireInfo(await snapshotter.stat(key, call)) };
    },
    async update({ snapshotter: containerds, info, update_mask: mask }, call) {
      if (info === undefined) throw new CleatError("INVALID_ARGUMENT", "update names no snapshot");
      const { name, labels } = info;
      const change = { labels, paths: mask?.paths ?? [] };
      return { info: toWireInfo(await changing(containerds, call, () => snapshotter.update(name, change, call))) };
    },
    async *list({ filters }, call) {
      for await (const infos of inChunks(snapshotter.list(filters, call))) yield { info: infos };
    },
    async usage({ key }, call) {
      const { sizeBytes, inodes } = await snapshotter.usage(key, call);
      return { size: BigInt(sizeBytes), inodes: BigInt(inodes) };
    },
    async cleanup({ snapshotter: name }, call) {
      await changing(name, call, () => snapshotter.cleanup(call));
      return {};
    },
  });
}

/** Which engine that is, beside the name by which it knows them. */
const servedToFile = "served-to.json";

/** containerd would unpack into a folder of its own where there are none, and lose what it unpacked. */
function toWireMounts(key: string, mounts: readonly Mount[]) {
  if (mounts.length > 0) return mounts.map(toWireMount);
  throw new CleatError("INTERNAL", `snapshot ${JSON.stringify(key.slice(0, 200))} has no mounts`);
}

/** Source: containerd v1.6.20 `contrib/snapshotservice/service.go`, List. */
const infosPerMessage = 100;
/** So that long labels do not make a message that is too long; one snapshot has no more than a mebibyte of them. */
const maxChunkBytes = 8 * 1024 * 1024;
/** Of UTF-8, for one of a string's characters at most. */
const bytesPerCharacter = 3;
/** Of tags, lengths and numbers, at most. */
const bytesAroundLabel = 16;
const bytesAroundInfo = 128;

async function* inChunks(infos: AsyncIterable<SnapshotInfo>): AsyncGenerator<MessageIn<typeof infoMessage>[]> {
  let chunk: MessageIn<typeof infoMessage>[] = [];
  let bytes = 0;
  for await (const info of infos) {
    chunk.push(toWireInfo(info));
    bytes += mostBytesOf(info);
    if (chunk.length < infosPerMessage && bytes < maxChunkBytes) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** What it takes on the wire at most; to count that exactly would cost as much as to encode it. @internal */
export function mostBytesOf({ name, parent = "", labels }: SnapshotInfo): number {
  let bytes = bytesAroundInfo + bytesPerCharacter * (name.length + parent.length);
  for (const key in labels)
    bytes += bytesAroundLabel + bytesPerCharacter * (key.length + (labels[key] as string).length);
  return bytes;
}
