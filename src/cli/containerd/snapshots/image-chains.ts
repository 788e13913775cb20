import { type Containerd, readBlob } from "../../../containerd/index.ts";
import { CleatError } from "../../../errors/index.ts";
import { chainIdsOf } from "../../../layerstore/index.ts";

/** Which images have a snapshot under them: chain ids, with the names of the images. */
export type ImageChains = ReadonlyMap<string, readonly string[]>;

/**
 * The chain ids of all images of a namespace, as far as their blobs are there: a manifest is read, of an index all that
 * it names. Source: OCI image-spec v1.0 `image-index.md`.
 */
export async function readImageChains(containerd: Containerd): Promise<ImageChains> {
  const chains = new Map<string, string[]>();
  const { images } = await containerd.services.images.list({});
  for (const { name, target } of images) {
    for (const chainId of new Set(await chainsBelow(containerd, target?.digest ?? "", maxDepth))) {
      const names = chains.get(chainId);
      if (names === undefined) chains.set(chainId, [name]);
      else names.push(name);
    }
  }
  return chains;
}

/** Manifests and indexes are small; an index may name another one, and be made to name itself. */
const maxBlobBytes = 8 * 1024 * 1024;
const maxDepth = 3;

interface Manifest {
  readonly manifests?: readonly { readonly digest?: unknown }[];
  readonly config?: { readonly digest?: unknown };
}

async function chainsBelow(containerd: Containerd, digest: string, depth: number): Promise<string[]> {
  const manifest = await readJson<Manifest>(containerd, digest);
  if (manifest === undefined) return [];
  const chains: string[] = [];
  for (const { digest: below } of depth > 0 && Array.isArray(manifest.manifests) ? manifest.manifests : []) {
    chains.push(...(await chainsBelow(containerd, String(below), depth - 1)));
  }
  if (manifest.config === undefined) return chains;
  const config = await readJson<{ rootfs?: { diff_ids?: unknown } }>(containerd, String(manifest.config.digest));
  const diffIds = config?.rootfs?.diff_ids;
  return [...chains, ...(Array.isArray(diffIds) ? chainIdsOf(diffIds.map(String)) : [])];
}

/** Nothing where the blob is not there, as those of other platforms, or is no such thing. */
async function readJson<T extends object>(containerd: Containerd, digest: string): Promise<T | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of await readBlob(containerd, digest)) {
      sizeBytes += part.length;
      if (sizeBytes > maxBlobBytes) return undefined;
      parts.push(part);
    }
    const value = JSON.parse(Buffer.concat(parts).toString()) as unknown;
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch (error) {
    const isMissing = error instanceof CleatError && ["NOT_FOUND", "INVALID_ARGUMENT"].includes(error.code);
    if (isMissing || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
