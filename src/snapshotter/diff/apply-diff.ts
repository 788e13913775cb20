import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readBlob } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { AppliedArchive } from "./apply-job.ts";
import type { ApplyTarget } from "./apply-target.ts";
import type { DiffContext } from "./create-diff.ts";
import { createDecompressor, detectCompression } from "./media-types.ts";

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
  const blob = (await readBlob(containerd, digest, call))[Symbol.asyncIterator]();
  let archive: Readable | undefined;
  try {
    archive = await openArchive(blob);
    return await pool.consume(archive, (ring) =>
      pool.within(call.signal).run(jobs, "applyArchiveTo", target, ring, options),
    );
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    if (typeof code !== "string" || !/^(?:Z_|ERR_ZSTD|ZSTD_)/.test(code)) throw error;
    throw new CleatError("DATA_LOSS", `blob ${digest} is damaged: ${(error as Error).message}`, { cause: error });
  } finally {
    archive?.destroy();
    // An archive of which nobody has read anything has not begun with its blob, and does not end it.
    void blob.return?.().catch(() => {});
  }
}

/** So many bytes tell how a blob is compressed. */
const magicBytes = 4;

/** `pieces` stay their maker's to let go of. */
async function openArchive(pieces: AsyncIterator<Uint8Array>): Promise<Readable> {
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < magicBytes) {
    const next = await pieces.next();
    if (next.done === true) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  const stages = createDecompressor(detectCompression(start));
  const all = Readable.from(startingWith(start, pieces), { objectMode: false, highWaterMark: 1 << 20 });
  if (stages.length === 0) return all;
  const out = new PassThrough({ highWaterMark: 1 << 20 });
  void pipeline([all, ...stages, out]).catch(() => {}); // whoever reads `out` is told
  return out;
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
