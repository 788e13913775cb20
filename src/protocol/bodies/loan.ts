/**
 * A stream of bytes whose source lends the descriptor that they come from, so that a thread reads them where they are
 * needed and not one of them passes the event loop: a peer's socket in the middle of a body, an archive's file.
 *
 * What is lent is given back where the reading ended, and iteration goes on from there, so that the source's own parser
 * has the last word on how a body ends.
 */
import type { ChunkPlace } from "./chunk-line.ts";

export interface LendingSource extends AsyncIterable<Uint8Array> {
  /**
   * Lends the descriptor to `use`, and resolves when it has come back. False where it cannot be had, now or at all:
   * bytes then come by iteration, and later it may be had. Never while `next` of its iterator is pending. `use` never
   * rejects.
   */
  readonly lend?: ((use: Borrow) => Promise<boolean>) | undefined;
  /** Whether it is a file, whose bytes nobody has to wait for. */
  readonly isFile?: (() => Promise<boolean>) | undefined;
}

/** Resolves when nobody touches the descriptor any more; `undefined` where nobody has, for now. */
export type Borrow = (loan: Loan) => Promise<Returned | undefined>;

export interface Loan {
  /** Open until `use` has resolved; whoever reads longer reads from a copy. */
  readonly descriptor: number;
  /**
   * What has been taken from it and not been given out yet; whoever borrows gets it now, whatever else becomes of it.
   */
  readonly ahead: Uint8Array;
  readonly framing: BodyFraming;
  /** Is told of who reads. */
  onBorrowed(borrower: Borrower): void;
}

/** How a body is cut out of what comes. */
export type BodyFraming =
  /** RFC 9112, 7.1 */
  | { readonly kind: "chunked"; readonly place: ChunkPlace }
  | { readonly kind: "sized"; readonly leftBytes: number }
  /** From `offset` on, or from where the descriptor stands, to the end of the file. */
  | { readonly kind: "file"; readonly offset: number | undefined };

/** Who reads from what was lent. */
export interface Borrower {
  /** Whether the peer has sent less than a brisk one does, for at least so long. */
  isSlow(timeMs: number): boolean;
  /** Ends the reading with an error, soon. */
  cutOff(error: Error): void;
}

/**
 * Where the reading ended, as the source's own parser has to be told: it has missed `missedBytes` of content, then
 * `filler`, of which no content is to be given out either; `next` follows, and after it what the descriptor gives.
 */
export interface Returned {
  readonly missedBytes: number;
  readonly filler: string;
  readonly next: Uint8Array;
  /** Whoever read came to grief, and nobody knows where. */
  readonly isLost: boolean;
}

/** A stream whose maker can write to a peer's descriptor itself; to be read to its end in no other way then. */
export interface DescriptorWriting {
  /**
   * Writes all that is to come to `sink`, as much of it as can be through its descriptor. Resolves when all is written.
   * @throws what the stream fails with, also where it is destroyed meanwhile.
   */
  writeTo(sink: Sink): Promise<void>;
  /** While `writeTo` runs: for how long the peer has taken nothing. */
  silentMs(): number | undefined;
}

/** A stream all of which is there already: whoever takes it whole has no need to read it, nor to follow who does. */
export interface WholeContent {
  readonly whole: Uint8Array;
}

/** What is there of a stream, where that is all; one of somebody else's may call anything `whole`. */
export function wholeOf(stream: object): Uint8Array | undefined {
  const { whole } = stream as { readonly whole?: unknown };
  return whole instanceof Uint8Array ? whole : undefined;
}

/** A stream whose maker can show its bytes where they lie; to be read to its end in no other way then. */
export interface ChunkVisiting {
  /**
   * Calls `visit` with each chunk in turn, which is valid until that returns, or until a promise that it returns has
   * settled, which is awaited before the next, or until the stream is destroyed. Resolves when all was visited and the
   * stream is closed. What `visit` throws destroys the stream.
   * @throws FAILED_PRECONDITION when the stream is read already.
   * @throws what the stream fails with, also where it is destroyed meanwhile.
   */
  visitChunks(visit: (chunk: Uint8Array) => unknown): Promise<void>;
}

/** Where a peer reads a body in chunks (RFC 9112, 7.1). */
export interface Sink {
  /** As a chunk of its own, with its frame. Resolves when there is room for more, or nobody reads any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Framed already: the rest of what somebody else has begun to write. */
  writeFramed(bytes: Uint8Array): Promise<void>;
  /** The descriptor, once all that was written has left the process; `undefined` where it cannot be had any more. */
  flush(): Promise<number | undefined>;
}
