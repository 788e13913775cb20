/**
 * The reading end of a loan, on the job's thread: reads a body from the peer's descriptor, or an archive from its file,
 * into the ring's own memory, takes the frames out where it lies, and gives the descriptor back where the body ends,
 * where it is framed in any other than the plainest way, where the peer has ended, and where the job has had enough.
 */
import { readChunkLine } from "../../../protocol/kit.ts";
import {
  countsOf,
  FILLER_BYTES,
  FRAMING,
  framings,
  LEFT,
  LOAN,
  loanStates,
  MISSED,
  NEXT_BYTES,
  type Ring,
} from "../ring/control.ts";
import { createLentBytes } from "./lent-bytes.ts";

export interface BorrowedReader {
  /**
   * The next bytes, valid until the next call; `undefined` where nothing is lent (any more).
   * Blocks while there are none.
   */
  read(): Uint8Array | undefined;
  /** What was lent and not given back is given back. */
  giveBack(): void;
}

export function createBorrower(ring: Ring): BorrowedReader {
  const { control } = ring;
  let reading: BorrowedReader | undefined;

  const isLent = (): boolean => Atomics.load(control, LOAN) === loanStates.taken;

  function take(): boolean {
    const { offered, taken } = loanStates;
    return (
      Atomics.load(control, LOAN) === offered && Atomics.compareExchange(control, LOAN, offered, taken) === offered
    );
  }

  return {
    read() {
      if (reading === undefined && take()) reading = createReading(ring);
      return reading !== undefined && isLent() ? reading.read() : undefined;
    },
    giveBack() {
      if (reading !== undefined && isLent()) reading.giveBack();
    },
  };
}

function createReading(ring: Ring): BorrowedReader {
  const { control, data } = ring;
  const counts = countsOf(ring);
  const framing = Atomics.load(control, FRAMING);
  const isFile = framing === framings.file;
  const isSized = framing === framings.sized;
  const lent = createLentBytes(ring, isFile);
  /** What is left of the content in which the reading stands. */
  let leftBytes = isFile ? Number.POSITIVE_INFINITY : (counts[LEFT] as number);
  let isBehindChunk = framing !== framings.chunkStart;
  /** Of the content in which the source's parser stands. */
  let missedBytes = 0;
  let isFirstContent = true;

  function takeContent(): Uint8Array {
    const content = lent.take(leftBytes);
    leftBytes -= content.length;
    if (isFirstContent) missedBytes += content.length;
    return content;
  }

  /** Goes on to the content of the next chunk; false where there is none that is this one's to read. */
  function enterChunk(): boolean {
    for (;;) {
      const line = readChunkLine(data, lent.at, lent.end, isBehindChunk);
      if (line.kind === "other" || (line.kind === "partial" && !lent.readMore())) return false;
      if (line.kind !== "chunk") continue;
      lent.at = line.end;
      leftBytes = line.sizeBytes;
      isBehindChunk = true;
      isFirstContent = false;
      return true;
    }
  }

  /** As the parser of the source has to be told, which stands behind the content that it misses. */
  function giveBack(): void {
    if (isFile || isSized) return tell("", 0);
    const lineEnd = framing === framings.chunkStart ? "" : "\r\n";
    // Nothing that was read is left then: `takeContent` gives out all that there is of a content.
    if (leftBytes > 0) return tell(isFirstContent ? "" : `${lineEnd}${leftBytes.toString(16)}\r\n`, 0);
    // The parser of a source that stood before a chunk does not expect the end of one.
    const isOneAhead = framing === framings.chunkStart && isBehindChunk;
    tell(isOneAhead ? "1\r\n0" : "", lent.end - lent.at);
  }

  function tell(filler: string, nextBytes: number): void {
    data.copyWithin(filler.length, lent.at, lent.at + nextBytes);
    data.set(Buffer.from(filler, "latin1"), 0);
    counts[MISSED] = missedBytes;
    Atomics.store(control, FILLER_BYTES, filler.length);
    Atomics.store(control, NEXT_BYTES, nextBytes);
    Atomics.store(control, LOAN, loanStates.returned);
    Atomics.notify(control, LOAN);
  }

  return {
    read() {
      const isMore = leftBytes > 0 || (!isSized && enterChunk());
      const isThere = isMore && (lent.at < lent.end || lent.readMore(isSized ? leftBytes : undefined));
      if (isThere) return takeContent();
      giveBack();
      return undefined;
    },
    giveBack,
  };
}
