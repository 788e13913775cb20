import { open, rm } from "node:fs/promises";
import { CleatError } from "../../errors/index.ts";

/**
 * A file that takes the bytes of a peer who keeps others waiting. It is opened for each piece, so that a thousand such
 * peers cost no descriptors; what a crash leaves lies where unfinished things are swept.
 */
export interface Spool {
  /** Bytes appended and not yet read. */
  unreadBytes(): number;
  /** One at a time. A failure (a full disk) leaves what was appended before as it was. */
  append(bytes: Uint8Array): Promise<void>;
  /** The next bytes, at most 64 KiB of them. One at a time. */
  read(): Promise<Buffer>;
  /** Deletes the file, if there is one. */
  remove(): Promise<void>;
}

/** What waits in memory for a peer who does not read. */
const pieceBytes = 64 * 1024;

/** `path` is made when the first bytes come. */
export function createSpool(path: string): Spool {
  let written = 0;
  let consumed = 0;

  return {
    unreadBytes: () => written - consumed,

    async append(bytes) {
      const file = await open(path, written === 0 ? "w" : "r+", 0o600);
      try {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, written + done);
          done += bytesWritten;
        }
        written += bytes.length;
      } finally {
        await file.close();
      }
    },

    async read() {
      const piece = Buffer.allocUnsafeSlow(Math.min(written - consumed, pieceBytes));
      const file = await open(path, "r");
      try {
        const { bytesRead } = await file.read(piece, 0, piece.length, consumed);
        if (bytesRead === 0) throw new CleatError("DATA_LOSS", `file ${JSON.stringify(path)} became shorter`);
        consumed += bytesRead;
        return piece.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },

    remove: () => rm(path, { force: true }),
  };
}
