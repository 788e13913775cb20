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
  const digester = createDigester();
  let written: WrittenBlob | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function* requests(): AsyncGenerator<WriteRequest> {
    try {
      yield* writeRequests();
    } catch (error) {
      // The stream ends as if it were whole, but for a commit: containerd then lets go of the write before it answers.
      failure = { error };
    }
  }

  async function* writeRequests(): AsyncGenerator<WriteRequest> {
    if (options.expected !== undefined) yield { action: "STAT", ref, expected: options.expected };
    for await (const data of inMessages(source)) {
      const offset = BigInt(digester.sizeBytes());
      digester.update(data);
      yield { action: "WRITE", ref, offset, data };
    }
    const [sizeBytes, digest] = [digester.sizeBytes(), digester.digest()];
    if (options.expected !== undefined && options.expected !== digest) throw otherDigest(options.expected, digest);
    written = { digest, sizeBytes };
    const total = BigInt(sizeBytes);
    yield { action: "COMMIT", ref, total, offset: total, expected: digest, labels: options.labels?.() };
  }

  let answer = "";
  try {
    const metadata = { [leaseHeader]: lease };
    for await (const { digest } of content.write(requests(), { ...call, metadata })) answer = digest;
    if (failure !== undefined) throw failure.error;
  } catch (error) {
    const digest = written?.digest ?? options.expected;
    if (isAlreadyThere(error) && digest !== undefined) return adoptBlob(containerd, digest, options, call);
    // Without the caller's signal: it may be why this ends.
    if (options.ref === undefined) await content.abort({ ref }).catch(() => {});
    throw failure === undefined ? error : failure.error; // a call without a request fails, too
  }
  if (written === undefined || answer !== written.digest) throw otherDigest(written?.digest ?? "", answer);
  return written;
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
