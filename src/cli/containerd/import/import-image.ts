import { writeBlob } from "../../../containerd/index.ts";
import { CleatError } from "../../../errors/index.ts";
import type { SharedContent } from "../../../layer/index.ts";
import type { DockerImage } from "../../../layerstore/index.ts";
import { toDanglingReference, toFullReference } from "./image-reference.ts";
import { type ImageSource, type ImportedLayer, importLayer } from "./import-layer.ts";
import type { ImportTarget } from "./import-target.ts";
import { createManifest, type Descriptor, type Manifest, mediaTypes } from "./manifest.ts";

export interface ImportedImage {
  /** Of the manifest, by which containerd's clients know the image. */
  readonly digest: string;
  readonly names: readonly ImportedName[];
  /** Of the layers that were not there already. */
  readonly content: SharedContent;
}

export interface ImportedName {
  readonly name: string;
  /** "kept": containerd has another image of that name, which is left as it is. */
  readonly outcome: "made" | "there" | "kept";
}

/**
 * Takes an image into containerd, layer by layer from the lowest up, and names it last: what has a name is whole.
 * @throws DATA_LOSS when a layer or the configuration is not what it was.
 */
export async function importImage(
  target: ImportTarget,
  images: ImageSource,
  image: DockerImage,
  onLayer: (layer: ImportedLayer, at: number) => void,
): Promise<ImportedImage> {
  const layers: Descriptor[] = [];
  const content = { sharedBytes: 0, copiedBytes: 0 };
  for (const [at, layer] of image.layers.entries()) {
    const imported = await importLayer(target, images, layer, image.layers[at - 1]?.chainId);
    layers.push(imported.descriptor);
    content.sharedBytes += imported.content.sharedBytes;
    content.copiedBytes += imported.content.copiedBytes;
    onLayer(imported, at);
  }
  const manifest = createManifest(await writeConfig(target, image), layers);
  await writeBytes(target, manifest.bytes, manifest.descriptor.digest, manifest.labels);
  const names: ImportedName[] = [];
  const { digest } = manifest.descriptor;
  const references = image.names.length > 0 ? image.names.map(toFullReference) : [toDanglingReference(digest)];
  for (const name of references) names.push(await nameImage(target, name, manifest));
  return { digest, names, content };
}

/** The configuration keeps the snapshot from containerd's collector. Source: containerd v1.6.20 `unpacker.go`. */
async function writeConfig(target: ImportTarget, { id, config, layers }: DockerImage): Promise<Descriptor> {
  const top = layers.at(-1)?.chainId;
  const labels = top === undefined ? {} : { [`containerd.io/gc.ref.snapshot.${target.snapshotter}`]: top };
  await writeBytes(target, config, id, labels);
  return { mediaType: mediaTypes.config, digest: id, size: config.length };
}

async function writeBytes(
  { containerd, lease }: ImportTarget,
  bytes: Buffer,
  expected: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await writeBlob(containerd, source(), { lease, expected, labels: () => labels });
}

async function nameImage(
  { containerd }: ImportTarget,
  name: string,
  { descriptor: { mediaType, digest, size } }: Manifest,
): Promise<ImportedName> {
  const { images } = containerd.services;
  try {
    await images.create({ image: { name, target: { media_type: mediaType, digest, size: BigInt(size) } } });
    return { name, outcome: "made" };
  } catch (error) {
    if (!(error instanceof CleatError) || error.code !== "ALREADY_EXISTS") throw error;
    const { image } = await images.get({ name });
    return { name, outcome: image?.target?.digest === digest ? "there" : "kept" };
  }
}
