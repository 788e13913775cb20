import { randomBytes } from "node:crypto";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { type Containerd, leaseHeader } from "../client.ts";
import type { contentService } from "../services/content-service.ts";
import type { MessageIn } from "../../grpc/index.ts";
import { createDigester } from "./digest.ts";

export interface WriteBlobOptions {
  /** What keeps the blob from the collector until something refers to it; `createLease`. */
  readonly lease: string;
  /**
   * The name of the write while it is under way, which one writer at a time may have. One that is given is its giver's:
   * what a failure leaves of it stays, to be begun anew or aborted. Without it the write has a name of its own, and
   * leaves nothing.
   */
  readonly ref?: string | undefined;
  /** What the blob is known to be; where containerd has it already nothing is sent. */
  readonly expected?: string | undefined;
  /** Asked once the source has ended, or is not needed. A label that the blob has already keeps its value. */
  labels?(): Readonly<Record<string, string>>;
}

export interface WrittenBlob {
  readonly digest: string;
  readonly sizeBytes: number;
}

type WriteRequest = MessageIn<(typeof contentService)["methods"]["write"]["request"]>;

/** What a message carries: each is answered before containerd looks at the next. It takes 16 MiB. */
const messageBytes = 1024 * 1024;

/**
 * Writes a blob from its beginning, whatever was written under `ref` before. A blob that is there already is a success:
 * it gets the labels that it lacks, and the lease.
 * @throws UNAVAILABLE when somebody else writes under `ref`.
 * @throws DATA_LOSS when containerd has another digest than what was sent, or than `expected`.
 * @throws what `source` throws.
 */
export async function writeBlob(
  containerd: Containerd,
  source: AsyncIterable<Uint8Array>,
  options: WriteBlobOptions,
  call?: CallOptions,
): Promise<WrittenBlob> {
  const { lease, ref = `cleat-${randomBytes(12).toString("hex")}` } = options;
  const { content } = containerd.services;
  const upload = createUpload(source, ref, options);
  let answer: string;
  try {
    answer = await lastDigest(content.write(upload.requests(), { ...call, metadata: { [leaseHeader]: lease } }));
    upload.throwIfFailed();
  } catch (error) {
    const digest = upload.committed()?.digest ?? options.expected;
    if (isAlreadyThere(error) && digest !== undefined) return adoptBlob(containerd, digest, options, call);
    // Without the caller's signal: it may be why this ends.
    if (options.ref === undefined) await content.abort({ ref }).catch(() => {});
    upload.throwIfFailed(); // a call without a request fails, too
    throw error;
  }
  const written = upload.committed();
  if (written === undefined || answer !== written.digest) throw otherDigest(written?.digest ?? "", answer);
  return written;
}

/** The requests of one write. */
interface Upload {
  requests(): AsyncGenerator<WriteRequest>;
  /** What containerd was asked to commit. */
  committed(): WrittenBlob | undefined;
  /** @throws what the source has failed with, or DATA_LOSS when it is another blob than was expected. */
  throwIfFailed(): void;
}

function createUpload(source: AsyncIterable<Uint8Array>, ref: string, { expected, labels }: WriteBlobOptions): Upload {
  const digester = createDigester();
  let committed: WrittenBlob | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function* write(): AsyncGenerator<WriteRequest> {
    if (expected !== undefined) yield { action: "STAT", ref, expected };
    for await (const data of inMessages(source)) {
      const offset = BigInt(digester.sizeBytes());
      digester.update(data);
      yield { action: "WRITE", ref, offset, data };
    }
  }
  function commit(): WriteRequest {
    const [sizeBytes, digest] = [digester.sizeBytes(), digester.digest()];
    if (expected !== undefined && expected !== digest) throw otherDigest(expected, digest);
    committed = { digest, sizeBytes };
    const total = BigInt(sizeBytes);
    return { action: "COMMIT", ref, total, offset: total, expected: digest, labels: labels?.() };
  }
  return {
    async *requests() {
      try {
        yield* write();
        yield commit();
      } catch (error) {
        // Ends as if it were whole, but for a commit: containerd then lets go of the write before it answers.
        failure = { error };
      }
    },
    committed: () => committed,
    throwIfFailed() {
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** What the last of the answers says. */
async function lastDigest(answers: AsyncIterable<{ readonly digest: string }>): Promise<string> {
  let last = "";
  for await (const { digest } of answers) last = digest;
  return last;
}

/** Pieces of a mebibyte; what comes first goes out at once, so that the reference is taken. */
async function* inMessages(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let enoughBytes = 1;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + messageBytes - gatheredBytes);
      at += piece.length;
      gathered.push(piece);
      gatheredBytes += piece.length;
      if (gatheredBytes < enoughBytes) continue;
      yield gathered.length === 1 ? piece : Buffer.concat(gathered);
      gathered = [];
      gatheredBytes = 0;
      enoughBytes = messageBytes;
    }
  }
  if (gatheredBytes > 0) yield Buffer.concat(gathered);
}

/** A blob that is there: in the lease first, so that it stays there. */
async function adoptBlob(
  { services: { content, leases } }: Containerd,
  digest: string,
  { lease, labels }: WriteBlobOptions,
  call?: CallOptions,
): Promise<WrittenBlob> {
  await leases.addResource({ id: lease, resource: { id: digest, type: "content" } }, call);
  const { info } = await content.info({ digest }, call);
  if (info === undefined) throw new CleatError("DATA_LOSS", `answer about blob ${digest} lacks what is known of it`);
  const missing = Object.entries(labels?.() ?? {}).filter(([key]) => !Object.hasOwn(info.labels, key));
  if (missing.length > 0) {
    const paths = missing.map(([key]) => `labels.${key}`);
    await content.update({ info: { digest, labels: Object.fromEntries(missing) }, update_mask: { paths } }, call);
  }
  return { digest, sizeBytes: Number(info.size) };
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof CleatError && error.code === "ALREADY_EXISTS";
}

function otherDigest(expected: string, actual: string): CleatError {
  return new CleatError("DATA_LOSS", `blob is ${actual || "not there"} where ${expected || "another"} was written`);
}
