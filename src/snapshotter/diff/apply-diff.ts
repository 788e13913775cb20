import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readBlob } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { AppliedArchive } from "./apply-job.ts";
import type { ApplyTarget } from "./apply-target.ts";
import type { DiffContext } from "./create-diff.ts";
import { createDecompressor, detectCompression } from "./media-types.ts";
import { splitAtFrames } from "./zstd-frames.ts";

/**
 * Unpacks a blob into a layer: what containerd has is read, decompressed on threads of Node's own, unpacked on one of
 * ours.
 * @throws UNIMPLEMENTED, before anything is written, for a compression that is not known.
 * @throws DATA_LOSS when the blob cannot be decompressed, or ends early.
 */
export async function applyDiff(
  { containerd, pool, jobs }: DiffContext,
  digest: string,
  target: ApplyTarget,
  options: { readonly sync: boolean },
  call: CallOptions,
): Promise<AppliedArchive> {
  const archive = await openArchive(await readBlob(containerd, digest, call));
  try {
    return await pool.consume(archive, (ring) =>
      pool.within(call.signal).run(jobs, "applyArchiveTo", target, ring, options),
    );
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    if (typeof code !== "string" || !/^(?:Z_|ERR_ZSTD|ZSTD_)/.test(code)) throw error;
    throw new CleatError("DATA_LOSS", `blob ${digest} is damaged: ${(error as Error).message}`, { cause: error });
  } finally {
    archive.destroy();
  }
}

/** How a blob is compressed is seen in its first bytes. @internal */
export async function openArchive(blob: AsyncIterable<Uint8Array>): Promise<Readable> {
  const pieces = blob[Symbol.asyncIterator]();
  const first = await pieces.next();
  const start: Uint8Array = first.done === true ? new Uint8Array(0) : first.value;
  const all = Readable.from(startingWith(start, pieces), { objectMode: false, highWaterMark: 1 << 20 });
  let compression;
  let decompressor;
  try {
    compression = detectCompression(start);
    decompressor = createDecompressor(compression);
  } catch (error) {
    all.destroy();
    throw error;
  }
  if (decompressor === undefined) return all;
  const out = new PassThrough({ highWaterMark: 1 << 20 });
  const source = compression === "zstd" ? Readable.from(splitAtFrames(all), { objectMode: false }) : all;
  void pipeline(source, decompressor, out).catch(() => {}); // whoever reads `out` is told
  return out;
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
