import { createGzip, type Gzip } from "node:zlib";
import * as zlib from "node:zlib";
import { Duplex, type Transform } from "node:stream";
import { CleatError } from "../../errors/index.ts";
import { splitZstdFrames } from "./zstd-frames.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Of a layer without compression. */
export const layerMediaType = "application/vnd.oci.image.layer.v1.tar";
export const defaultMediaType = "application/vnd.oci.image.layer.v1.tar+gzip";

/** Sources: OCI image-spec v1.1 `layer.md`; Docker's image manifest, version 2, schema 2. */
const compressions: Readonly<Record<string, Compression>> = {
  [layerMediaType]: "none",
  [defaultMediaType]: "gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.diff.tar": "none",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
};

/**
 * @throws UNIMPLEMENTED for media types that are none of a layer, encrypted ones among them, and for zstd before Node
 * 22.15: the next differ in containerd's configuration then has its turn.
 */
export function compressionOf(mediaType: string): Compression {
  const compression = Object.hasOwn(compressions, mediaType) ? compressions[mediaType] : undefined;
  if (compression === undefined) {
    throw new CleatError("UNIMPLEMENTED", `media type ${JSON.stringify(mediaType)} is not known to Cleat's differ`);
  }
  if (compression === "zstd") assertZstd();
  return compression;
}

/** Node has it from 22.15 on; the types that Cleat is compiled with are those of Node 20. */
const { createZstdCompress, createZstdDecompress } = zlib as {
  readonly createZstdCompress?: () => Transform;
  readonly createZstdDecompress?: () => Transform;
};

function assertZstd(): void {
  if (createZstdCompress !== undefined) return;
  throw new CleatError("UNIMPLEMENTED", `Node ${process.versions.node} has no zstd, 22.15 has`);
}

/** Nothing where there is nothing to do. */
export function createCompressor(compression: Compression): Transform | Gzip | undefined {
  if (compression === "zstd") return createZstdCompress?.();
  return compression === "gzip" ? createGzip() : undefined;
}

/** By how the blob begins, as containerd does: media types are wrong at times. */
export function detectCompression(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  const isZstd = start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd;
  const isSkippable = ((start[0] ?? 0) & 0xf0) === 0x50 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
  if (!isZstd && !isSkippable) return "none";
  assertZstd();
  return "zstd";
}

/** What a blob goes through, in this order; nothing where there is nothing to do. */
export function createDecompressor(compression: Compression): readonly Duplex[] {
  if (compression === "gzip") return [zlib.createGunzip()];
  if (compression !== "zstd" || createZstdDecompress === undefined) return [];
  return [Duplex.from(splitZstdFrames), createZstdDecompress()];
}
