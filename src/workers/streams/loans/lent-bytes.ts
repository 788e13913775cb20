import { readSync } from "node:fs";
import { SystemError } from "../../../errors/index.ts";
import { readNow, throwIfCancelled, waitUntilReadable } from "../../../syscall/index.ts";
import { briskBytes } from "../peers/pace.ts";
import { createPeerWatch } from "../peers/peer-watch.ts";
import { countsOf, LEFT, LENT, type Ring, throwIfAborted } from "../ring/control.ts";

/** What is read of a descriptor that is lent, in the ring's own memory, with the frames that are in it. */
export interface LentBytes {
  /** What has been read and not been given out: from `at` to `end` of the ring's data. */
  at: number;
  readonly end: number;
  /** Reads behind what there is, at most so much; false at the end, however it came. Blocks. */
  readMore(maxBytes?: number): boolean;
  /** Gives out what there is, at most so much; valid until more is read. */
  take(maxBytes: number): Uint8Array;
}

/** So much is read at once, and lies in the processor's cache when it is written. */
const windowBytes = 256 * 1024;
/** How long until it is looked again whether anybody still wants what is waited for. */
const lookMs = 20;

export function createLentBytes(ring: Ring, isFile: boolean): LentBytes {
  const { control, data } = ring;
  const descriptor = Atomics.load(control, LENT);
  const readDescriptor = isFile ? readerOfFile(descriptor, countsOf(ring)[LEFT] as number) : readerOfPeer(descriptor);
  const window = Math.min(windowBytes, data.length / 2);
  const watch = createPeerWatch(control, briskBytes);
  let end = 0;
  return {
    at: 0,
    get end() {
      return end;
    },
    readMore(maxBytes = window) {
      data.copyWithin(0, this.at, end);
      end -= this.at;
      this.at = 0;
      const room = data.subarray(end, Math.min(maxBytes, window));
      for (;;) {
        throwIfCancelled();
        throwIfAborted(ring);
        const count = readDescriptor(room);
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
    },
    take(maxBytes) {
      const from = this.at;
      this.at += Math.min(maxBytes, end - from);
      return data.subarray(from, this.at);
    },
  };
}

/** Of a file from `start`, or where that is negative from where its descriptor stands. */
function readerOfFile(descriptor: number, start: number) {
  let position = start;
  return (room: Uint8Array): number => {
    const count = readSync(descriptor, room, 0, room.length, start < 0 ? null : position);
    position += count;
    return count;
  };
}

/** `undefined` where nothing is there now. What has gone wrong the source meets again, and says what it is. */
function readerOfPeer(descriptor: number) {
  return (room: Uint8Array): number | undefined => {
    try {
      return readNow(descriptor, room);
    } catch (error) {
      if (error instanceof SystemError) return 0;
      throw error;
    }
  };
}
