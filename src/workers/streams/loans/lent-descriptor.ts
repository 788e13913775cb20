/** A peer's descriptor, lent to a job's thread: what goes there until it is called back. All of it blocks. */
import { readSync } from "node:fs";
import { CleatError, SystemError } from "../../../errors/index.ts";
import { sendFileNow, throwIfCancelled, waitUntilWritable, writeNow } from "../../../syscall/index.ts";
import { LENT, LOAN, outletStates, readerGone, type Ring } from "../ring/control.ts";
import { createPeerWatch } from "../peers/peer-watch.ts";

export interface LentDescriptor {
  /** @throws CANCELLED where nobody reads any more. */
  throwIfUnwanted(): void;
  /** Writes `bytes`; what is left of them when the descriptor is called back. */
  send(bytes: Uint8Array): Uint8Array;
  /**
   * Sends the next bytes of an open file; how many are left when the descriptor is called back, or this file cannot be
   * sent so. @throws ABORTED when it ends before.
   */
  sendFile(file: number, sizeBytes: number): number;
  /** False from the first file on that could not be sent. Not every file system can have that done: sendfile(2). */
  sendsFiles(): boolean;
}

/** How long until it is looked again whether anybody still reads. */
export const lookMs = 20;

const nothing = new Uint8Array(0);

export function createLentDescriptor(ring: Ring): LentDescriptor {
  const { control } = ring;
  const watch = createPeerWatch(control, 1);
  let sendsFiles = true;

  function throwIfUnwanted(): void {
    throwIfCancelled();
    if (readerGone(ring)) throw toGoneError();
  }

  function isRecalled(): boolean {
    throwIfUnwanted();
    return Atomics.load(control, LOAN) === outletStates.recalled;
  }

  /** After so many bytes, as many as there was room for. */
  function awaitRoom(descriptor: number, sentBytes: number): void {
    if (sentBytes > 0) watch.moved(sentBytes);
    watch.waiting();
    waitUntilWritable(descriptor, lookMs);
    watch.waited();
  }

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

  return { throwIfUnwanted, send, sendFile, sendsFiles: () => sendsFiles };
}

function tryWrite(descriptor: number, bytes: Uint8Array): number | undefined {
  try {
    return writeNow(descriptor, bytes);
  } catch (error) {
    if (error instanceof SystemError) throw toGoneError(error);
    throw error;
  }
}

/** The next bytes of an open file. @throws ABORTED when it ends before. */
export function readWhole(file: number, sizeBytes: number): Uint8Array {
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
