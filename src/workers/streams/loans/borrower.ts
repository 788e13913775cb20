/**
 * The reading end of a loan, on the job's thread: reads a body from the peer's descriptor, or an archive from its file,
 * into the ring's own memory, takes the frames out where it lies, and gives the descriptor back where the body ends,
 * where it is framed in any other than the plainest way, where the peer has ended, and where the job has had enough.
 */
import { readSync } from "node:fs";
import { SystemError } from "../../../errors/index.ts";
import { readChunkLine } from "../../../protocol/kit.ts";
import { readNow, throwIfCancelled, waitUntilReadable } from "../../../syscall/index.ts";
import {
  countsOf,
  FILLER_BYTES,
  FRAMING,
  framings,
  LEFT,
  LENT,
  LOAN,
  loanStates,
  MISSED,
  NEXT_BYTES,
  type Ring,
  throwIfAborted,
} from "../ring/control.ts";
import { briskBytes } from "../peers/pace.ts";
import { createPeerWatch } from "../peers/peer-watch.ts";

export interface BorrowedReader {
  /**
   * The next bytes, valid until the next call; `undefined` where nothing is lent (any more).
   * Blocks while there are none.
   */
  read(): Uint8Array | undefined;
  /** What was lent and not given back is given back. */
  giveBack(): void;
}

/** So much is read at once, and lies in the processor's cache when it is written. */
const windowBytes = 256 * 1024;
/** How long until it is looked again whether anybody still wants what is waited for. */
const lookMs = 20;

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
  const descriptor = Atomics.load(control, LENT);
  const framing = Atomics.load(control, FRAMING);
  const isFile = framing === framings.file;
  const isSized = framing === framings.sized;
  const window = Math.min(windowBytes, data.length / 2);
  const watch = createPeerWatch(control, briskBytes);
  /** What has been read and not been given out: from `at` to `end` of the data. */
  let at = 0;
  let end = 0;
  /** What is left of the content in which the reading stands. */
  let leftBytes = isFile ? Number.POSITIVE_INFINITY : (counts[LEFT] as number);
  let position = isFile && (counts[LEFT] as number) >= 0 ? (counts[LEFT] as number) : undefined;
  let isBehindChunk = framing !== framings.chunkStart;
  /** Of the content in which the source's parser stands. */
  let missedBytes = 0;
  let isFirstContent = true;

  /** Reads more behind what there is; false at the end, however it came. Blocks. */
  function fill(): boolean {
    data.copyWithin(0, at, end);
    end -= at;
    at = 0;
    const room = data.subarray(end, isSized ? Math.min(leftBytes, window) : window);
    for (;;) {
      throwIfCancelled();
      throwIfAborted(ring);
      const count = isFile ? readFile(room) : readPeer(room);
      if (count === 0) return false;
      if (count !== undefined) {
        end += count;
        watch.moved(count);
        return true;
      }
      watch.waiting();
      waitUntilReadable(descriptor, lookMs);
      watch.waited();
    }
  }

  function readFile(room: Uint8Array): number {
    const count = readSync(descriptor, room, 0, room.length, position ?? null);
    if (position !== undefined) position += count;
    return count;
  }

  /** What has gone wrong the source meets again, and says what it is. */
  function readPeer(room: Uint8Array): number | undefined {
    try {
      return readNow(descriptor, room);
    } catch (error) {
      if (error instanceof SystemError) return 0;
      throw error;
    }
  }

  function takeContent(): Uint8Array {
    const count = Math.min(leftBytes, end - at);
    const content = data.subarray(at, at + count);
    at += count;
    leftBytes -= count;
    if (isFirstContent) missedBytes += count;
    return content;
  }

  /** Goes on to the content of the next chunk; false where there is none that is this one's to read. */
  function enterChunk(): boolean {
    for (;;) {
      const line = readChunkLine(data, at, end, isBehindChunk);
      if (line.kind === "other" || (line.kind === "partial" && !fill())) return false;
      if (line.kind !== "chunk") continue;
      at = line.end;
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
    tell(isOneAhead ? "1\r\n0" : "", end - at);
  }

  function tell(filler: string, nextBytes: number): void {
    data.copyWithin(filler.length, at, at + nextBytes);
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
      if (isMore && (at < end || fill())) return takeContent();
      giveBack();
      return undefined;
    },
    giveBack,
  };
}
