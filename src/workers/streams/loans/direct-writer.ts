/**
 * The writing end of an outlet (`outlet.ts`), on the job's thread: what the job writes goes to the peer's descriptor,
 * in chunk frames, once that is lent, and into the ring again when it is called back.
 */
import { readSync } from "node:fs";
import { CleatError, SystemError } from "../../../errors/index.ts";
import { sendFileNow, throwIfCancelled, waitUntilWritable, writeNow } from "../../../syscall/index.ts";
import { DATA_SIGNAL, LENT, LOAN, NEXT_BYTES, outletStates, readerGone, type Ring, wake } from "../ring/control.ts";
import { createPeerWatch } from "../peers/peer-watch.ts";

export interface DirectWriter {
  /**
   * Writes `bytes` where they go to the descriptor; how many of them that was: all, or none
   * but for a call back. Blocks.
   */
  write(bytes: Uint8Array): number;
  /**
   * As `write`, of the next bytes of an open file, which pass no process.
   * @throws ABORTED when the file ends before: its frame is not whole, and neither is the stream.
   */
  writeFrom(file: number, sizeBytes: number): number;
  /** Gives back what is lent. */
  end(): void;
}

/** How long until it is looked again whether anybody still reads. */
const lookMs = 20;

const nothing = new Uint8Array(0);

export function createDirectWriter(ring: Ring): DirectWriter {
  const { control, data } = ring;
  const { none, asked, standing, lent, recalled, returned } = outletStates;
  const watch = createPeerWatch(control, 1);
  /** What has to come before the next frame. */
  let frameEnd = "";
  /** Not every file system can have its files sent (sendfile(2)). */
  let sendsFiles = true;

  function isLent(): boolean {
    const state = Atomics.load(control, LOAN);
    return state === lent || state === recalled || (state === asked && stand());
  }

  /** Until the descriptor is lent, or is not to be had. */
  function stand(): boolean {
    if (Atomics.compareExchange(control, LOAN, asked, standing) !== asked) return false;
    wake(ring, DATA_SIGNAL);
    while (Atomics.load(control, LOAN) === standing) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, standing, lookMs);
    }
    frameEnd = "";
    return Atomics.load(control, LOAN) === lent;
  }

  function throwIfUnwanted(): void {
    throwIfCancelled();
    if (readerGone(ring)) throw toGoneError();
  }

  function isRecalled(): boolean {
    throwIfUnwanted();
    return Atomics.load(control, LOAN) === recalled;
  }

  /** After so many bytes, as many as there was room for. */
  function awaitRoom(descriptor: number, sentBytes: number): void {
    if (sentBytes > 0) watch.moved(sentBytes);
    watch.waiting();
    waitUntilWritable(descriptor, lookMs);
    watch.waited();
  }

  /** What is left of `bytes` when the descriptor is called back. */
  function send(bytes: Uint8Array): Uint8Array {
    const descriptor = Atomics.load(control, LENT);
    for (let rest = bytes; ;) {
      if (isRecalled()) return rest;
      const count = tryWrite(descriptor, rest) ?? 0;
      if (count === rest.length) return nothing;
      rest = rest.subarray(count);
      awaitRoom(descriptor, count);
    }
  }

  /** How many bytes of `file` are left when the descriptor is called back, or this file cannot be sent so. */
  function sendFile(file: number, sizeBytes: number): number {
    const descriptor = Atomics.load(control, LENT);
    for (let left = sizeBytes; ;) {
      if (isRecalled() || !sendsFiles) return left;
      const count = trySendFile(descriptor, file, left) ?? 0;
      left -= count;
      if (left === 0) return 0;
      if (sendsFiles) awaitRoom(descriptor, count);
    }
  }

  /** Whatever is in the way, the file's system or the peer, who reads and writes instead will hear of it. */
  function trySendFile(descriptor: number, file: number, sizeBytes: number): number | undefined {
    try {
      const count = sendFileNow(descriptor, file, sizeBytes);
      if (count === 0) throw toShortError();
      return count;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      sendsFiles = false;
      return undefined;
    }
  }

  /** What cannot be written is the rest of a frame, and somebody else's to write. */
  function giveBack(...parts: readonly Uint8Array[]): void {
    const rest = Buffer.concat(parts);
    data.set(rest, 0);
    Atomics.store(control, NEXT_BYTES, rest.length);
    frameEnd = "";
    Atomics.store(control, LOAN, returned);
    Atomics.notify(control, LOAN);
  }

  /** The ring's memory is the reader's until it has taken what lies there. */
  function awaitTaken(): void {
    while (Atomics.load(control, LOAN) === returned) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, returned, lookMs);
    }
  }

  /** What comes before so many bytes of content. */
  function sendFrameHead(sizeBytes: number): Uint8Array {
    return send(Buffer.from(`${frameEnd}${sizeBytes.toString(16)}\r\n`, "latin1"));
  }

  /** False where the descriptor was called back; the frame is whole for who reads all the same. */
  function endFrame(restOfHead: Uint8Array, rest: Uint8Array): boolean {
    if (restOfHead.length + rest.length === 0) {
      frameEnd = lineEnd;
      return true;
    }
    giveBack(restOfHead, rest, Buffer.from(lineEnd));
    awaitTaken();
    return false;
  }

  function sendFrame(content: Uint8Array): boolean {
    const restOfHead = sendFrameHead(content.length);
    return endFrame(restOfHead, restOfHead.length > 0 ? content : send(content));
  }

  /** As `sendFrame`, of the next bytes of a file. */
  function sendFileFrame(file: number, sizeBytes: number): boolean {
    const restOfHead = sendFrameHead(sizeBytes);
    const left = restOfHead.length > 0 ? sizeBytes : sendFile(file, sizeBytes);
    const rest = readWhole(file, left);
    return endFrame(restOfHead, restOfHead.length > 0 ? rest : send(rest));
  }

  return {
    write(bytes) {
      if (Atomics.load(control, LOAN) === none || !isLent()) return 0;
      for (let at = 0; at < bytes.length;) {
        const content = bytes.subarray(at, at + data.length / 2);
        at += content.length;
        if (!sendFrame(content)) return at;
      }
      return bytes.length;
    },
    writeFrom(file, sizeBytes) {
      if (Atomics.load(control, LOAN) === none || !isLent()) return 0;
      for (let at = 0; at < sizeBytes;) {
        if (!sendsFiles) return at;
        const count = Math.min(sizeBytes - at, data.length / 2);
        at += count;
        if (!sendFileFrame(file, count)) return at;
      }
      return sizeBytes;
    },
    end() {
      const state = Atomics.load(control, LOAN);
      if (state === lent || state === recalled) giveBack(Buffer.from(frameEnd));
      else if (state !== returned) Atomics.store(control, LOAN, none);
    },
  };
}

const lineEnd = "\r\n";

function tryWrite(descriptor: number, bytes: Uint8Array): number | undefined {
  try {
    return writeNow(descriptor, bytes);
  } catch (error) {
    if (error instanceof SystemError) throw toGoneError(error);
    throw error;
  }
}

function readWhole(file: number, sizeBytes: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let filled = 0; filled < sizeBytes;) {
    const count = readSync(file, bytes, filled, sizeBytes - filled, null);
    if (count === 0) throw toShortError();
    filled += count;
  }
  return bytes;
}

function toShortError(): CleatError {
  return new CleatError("ABORTED", "a file became shorter while it was read");
}

function toGoneError(cause?: Error): CleatError {
  return new CleatError("CANCELLED", "stream is no longer read by its receiver", { cause });
}
