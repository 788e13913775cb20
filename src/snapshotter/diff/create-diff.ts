import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createLease, type Containerd, writeBlob, type WrittenBlob } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import type { ArchiveChangesOptions } from "../../layer/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { ModuleReference, WorkerPool } from "../../workers/index.ts";
import type { ComparedStore } from "./compared-store.ts";
import type { Compression } from "./media-types.ts";
import { createCompressor } from "./media-types.ts";
import type { DiffPlan } from "./plan-diff.ts";

export interface CreateDiffOptions extends ArchiveChangesOptions {
  readonly compression: Compression;
  /** The caller's name for the write; empty for none. */
  readonly ref: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The caller's lease, where it has one. */
  readonly lease: string | undefined;
}

export interface DiffContext {
  readonly containerd: Containerd;
  readonly pool: WorkerPool;
  readonly jobs: ModuleReference<typeof import("./jobs.ts")>;
  readonly store: ComparedStore | undefined;
}

/** By which others know what a blob is when it is unpacked. Source: containerd v1.6.20 `labels/labels.go`. */
const uncompressedLabel = "containerd.io/uncompressed";
/** So long has who asked for a blob, to refer to it. */
const leaseMs = 10 * 60_000;

/** Writes what a plan finds into containerd's content store. */
export async function createDiff(
  { containerd, pool, jobs, store }: DiffContext,
  plan: DiffPlan,
  { compression, ref, labels, lease: given, ...archiveOptions }: CreateDiffOptions,
  call: CallOptions,
): Promise<WrittenBlob> {
  // First: an archive that is begun, and that nobody reads, would keep its thread for good.
  const lease = given ?? (await createLease(containerd, { expireMs: leaseMs }, call));
  let diffId: string | undefined;
  const archive = pool.produce(async (ring) => {
    diffId = await pool.within(call.signal).run(jobs, "archiveDiff", plan, ring, { ...archiveOptions, store });
  });
  const options = {
    lease,
    ref: ref === "" ? undefined : ref,
    labels() {
      if (diffId === undefined) throw new CleatError("INTERNAL", "archive ended before its digest was known");
      return { ...labels, [uncompressedLabel]: diffId };
    },
  };
  const compressed = compress(archive, compression);
  try {
    return await writeBlob(containerd, compressed, options, call);
  } finally {
    compressed.destroy();
    archive.destroy();
  }
}

/** A failure of the archive is one of what comes out. */
function compress(archive: Readable, compression: Compression): Readable {
  const compressor = createCompressor(compression);
  if (compressor === undefined) return archive;
  const out = new PassThrough({ highWaterMark: 1 << 20 });
  void pipeline(archive, compressor, out).catch(() => {}); // whoever reads `out` is told
  return out;
}
