import { writeBlob } from "../../../containerd/index.ts";
import { CleatError } from "../../../errors/index.ts";
import type { SharedContent } from "../../../layer/index.ts";
import type { DockerImageLayer, DockerImages } from "../../../layerstore/index.ts";
import { folderBehind, type Mounts } from "./folder-behind.ts";
import { type ImportTarget, snapshotRefLabel, underLease, unpackKey } from "./import-target.ts";
import { type Descriptor, mediaTypes } from "./manifest.ts";

export interface ImportedLayer {
  readonly descriptor: Descriptor;
  /** Whether its snapshot was there already; its archive may have been, or not. */
  readonly wasUnpacked: boolean;
  /** What its snapshot shares with the store; nothing where that was there already, or somebody else has made it. */
  readonly content: SharedContent;
}

/** The images to import from. */
export type ImageSource = Pick<DockerImages, "archive" | "share">;

/**
 * Takes one layer into containerd: its archive into the content store, then unpacked by containerd into a snapshot on
 * `parent`, the chain id of the layer below. What is there already is not done again.
 * @throws DATA_LOSS when the layer in the store is not what it was; then nothing of it is left.
 */
export async function importLayer(
  target: ImportTarget,
  images: ImageSource,
  layer: DockerImageLayer,
  parent: string | undefined,
): Promise<ImportedLayer> {
  const descriptor = await importArchive(target, images, layer);
  const wasUnpacked = await adoptSnapshot(target, layer.chainId);
  const content = wasUnpacked ? undefined : await unpack(target, images, descriptor, layer, parent);
  return { descriptor, wasUnpacked, content: content ?? { sharedBytes: 0, copiedBytes: 0 } };
}

/**
 * Under a name of the layer's own, so that two imports do not write the same twice, and what a killed one left is
 * written over.
 */
async function importArchive(
  { containerd, lease }: ImportTarget,
  images: ImageSource,
  layer: DockerImageLayer,
): Promise<Descriptor> {
  const { diffId } = layer;
  const ref = `cleat-import-${diffId}`;
  const labels = () => ({ "containerd.io/uncompressed": diffId });
  try {
    const blob = await writeBlob(containerd, images.archive(layer), { lease, ref, expected: diffId, labels });
    return { mediaType: mediaTypes.layer, digest: blob.digest, size: blob.sizeBytes };
  } catch (error) {
    const isOther = error instanceof CleatError && error.code === "UNAVAILABLE";
    if (!isOther) await containerd.services.content.abort({ ref }).catch(() => {});
    throw error;
  }
}

/** Whether the snapshot of a layer is there. */
export async function hasSnapshot(
  { containerd, snapshotter }: Pick<ImportTarget, "containerd" | "snapshotter">,
  chainId: string,
): Promise<boolean> {
  try {
    await containerd.services.snapshots.stat({ snapshotter, key: chainId });
    return true;
  } catch (error) {
    if (hasCode(error, "NOT_FOUND")) return false;
    throw error;
  }
}

/** The same; the lease keeps it then, first of all. */
async function adoptSnapshot(target: ImportTarget, chainId: string): Promise<boolean> {
  const { containerd, snapshotter, lease } = target;
  if (!(await hasSnapshot(target, chainId))) return false;
  const resource = { id: chainId, type: `snapshots/${snapshotter}` };
  await containerd.services.leases.addResource({ id: lease, resource });
  return hasSnapshot(target, chainId); // the collector may have taken it just before
}

/** @returns nothing where somebody else has unpacked it. */
async function unpack(
  target: ImportTarget,
  images: ImageSource,
  descriptor: Descriptor,
  layer: DockerImageLayer,
  parent: string | undefined,
): Promise<SharedContent | undefined> {
  const { diffId, chainId } = layer;
  const { snapshotter, containerd } = target;
  const { snapshots } = containerd.services;
  const key = unpackKey(chainId);
  const labels = { [snapshotRefLabel]: chainId };
  try {
    const { mounts } = await snapshots.prepare({ snapshotter, key, parent, labels }, underLease(target));
    await apply(target, descriptor, diffId, mounts);
    const content = await shareFiles(images, layer, mounts);
    await snapshots.commit({ snapshotter, name: chainId, key, labels }, underLease(target));
    return content ?? { sharedBytes: 0, copiedBytes: descriptor.size };
  } catch (error) {
    // It has become the layer's, or is nobody's; containerd's collector takes it where it cannot be reached.
    await snapshots.remove({ snapshotter, key }).catch(() => {});
    // Somebody else has unpacked it meanwhile, or the snapshotter had it already and has handed it over.
    if (!hasCode(error, "ALREADY_EXISTS")) throw error;
    if (!(await adoptSnapshot(target, chainId))) throw lostSnapshot(snapshotter, chainId, error);
    return undefined;
  }
}

/**
 * containerd unpacks it, whatever the mounts are. @throws DATA_LOSS when it has read something else than was written.
 */
async function apply(target: ImportTarget, descriptor: Descriptor, diffId: string, mounts: Mounts): Promise<void> {
  const { mediaType: media_type, digest, size } = descriptor;
  const diff = { media_type, digest, size: BigInt(size) };
  const { applied } = await target.containerd.services.diff.apply({ diff, mounts, sync_fs: true }, underLease(target));
  if (applied?.digest === diffId) return;
  throw new CleatError("DATA_LOSS", `containerd unpacked ${applied?.digest ?? "nothing"} where layer ${diffId} is`);
}

/**
 * Before others can see the snapshot. @returns nothing where its folder is not told, or is not there for this process.
 */
async function shareFiles(
  images: ImageSource,
  layer: DockerImageLayer,
  mounts: Mounts,
): Promise<SharedContent | undefined> {
  const folder = folderBehind(mounts);
  try {
    return folder === undefined ? undefined : await images.share(layer, folder);
  } catch (error) {
    if (hasCode(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

function lostSnapshot(snapshotter: string, chainId: string, cause: unknown): CleatError {
  const message = `containerd has a name for snapshot ${chainId} of "${snapshotter}", and nothing behind it`;
  return new CleatError("FAILED_PRECONDITION", `${message}: cleat snapshots repair`, { cause });
}

function hasCode(error: unknown, code: CleatError["code"]): boolean {
  return error instanceof CleatError && error.code === code;
}
