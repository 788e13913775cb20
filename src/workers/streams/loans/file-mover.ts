import { readSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { sendNow } from "../../../syscall/index.ts";
import { type LentDescriptor, toGoneError } from "./lent-descriptor.ts";

/** How bytes of files go to a descriptor without a copy in between, where the file system can do that. */
export interface FileMover {
  /** Moves the next bytes of an open file, until the descriptor is called back. Blocks. */
  move(file: number, sizeBytes: number): Moved;
  /** The next bytes of a file, fewer than asked for only at its end. */
  read(file: number, sizeBytes: number): Uint8Array;
}

/** What came of it when the descriptor was called back, or the file ended, or all had gone. */
export interface Moved {
  /** So many bytes were taken from the file. */
  readonly count: number;
  /** The last of them, which did not go. */
  readonly unsent: Uint8Array;
  /** The file has no more. */
  readonly isEnded: boolean;
}

/** What is copied at once where nothing else will do. */
const copiedBytes = 256 * 1024;
const nothing = new Uint8Array(0);

/** `send` writes all, but for what it answers when the descriptor is called back. */
export function createFileMover(lent: LentDescriptor, send: (bytes: Uint8Array) => Uint8Array): FileMover {
  function read(file: number, sizeBytes: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const count = readSync(file, bytes, filled, sizeBytes - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  function copy(file: number, sizeBytes: number): Moved {
    for (let count = 0; count < sizeBytes;) {
      const bytes = read(file, Math.min(sizeBytes - count, copiedBytes));
      if (bytes.length === 0) return { count, unsent: nothing, isEnded: true };
      count += bytes.length;
      const unsent = send(bytes);
      if (unsent.length > 0) return { count, unsent, isEnded: false };
    }
    return { count: sizeBytes, unsent: nothing, isEnded: false };
  }

  return {
    read,
    move(file, sizeBytes) {
      for (let count = 0; count < sizeBytes;) {
        if (!lent.isWanted()) return { count, unsent: nothing, isEnded: false };
        const sent = trySend(lent.descriptor(), file, sizeBytes - count);
        if (sent === "unable") {
          const rest = copy(file, sizeBytes - count);
          return { ...rest, count: count + rest.count };
        }
        if (sent === 0) return { count, unsent: nothing, isEnded: true };
        if (sent === undefined) lent.awaitRoom();
        else {
          count += sent;
          lent.moved(sent);
        }
      }
      return { count: sizeBytes, unsent: nothing, isEnded: false };
    },
  };
}

/** What fails is the file's as well as the peer's, and only the peer may be gone. */
function trySend(descriptor: number, file: number, sizeBytes: number): number | "unable" | undefined {
  try {
    return sendNow(descriptor, file, sizeBytes);
  } catch (error) {
    if (isSystemError(error, "EINVAL", "ENOSYS")) return "unable";
    if (isSystemError(error, "EPIPE", "ECONNRESET")) throw toGoneError(error);
    throw error;
  }
}
