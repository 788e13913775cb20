import { constants, type FileHandle, open } from "node:fs/promises";
import { offerWrite, writeInPlace } from "../../syscall/index.ts";
import type { JournalFile } from "./journal-files.ts";

/**
 * A journal file whose room is written ahead, with zeros, which what is appended overwrites: its flush writes these
 * bytes and nothing else. Where a file grows, the file system has to commit its own journal for that, with all that
 * others have changed meanwhile: thousands of new files, when an engine has just unpacked a layer. So no name comes to
 * the disk along with what is appended here.
 *
 * What stands behind `lengthBytes` is kept where it is nothing but zeros, so that a journal that is opened on a full
 * disk has room; a torn line is cut off with all that follows. Source: Linux v6.1 `fs/ext4/fsync.c`
 * `ext4_fsync_journal`.
 */
export async function openPrefilled(path: string, flags: number, lengthBytes: number): Promise<JournalFile> {
  const file = await open(path, flags | constants.O_RDWR, 0o600);
  let durable: FileHandle;
  let at = lengthBytes;
  let endBytes: number;
  try {
    endBytes = (await file.stat()).size;
    if (!(await isZeroFrom(file, lengthBytes, endBytes))) {
      await file.truncate(lengthBytes);
      endBytes = lengthBytes;
    }
    if (lengthBytes === 0) writeInPlace(file.fd);
    durable = await open(path, flags | constants.O_RDWR | constants.O_DSYNC);
  } catch (error) {
    await file.close();
    throw error;
  }
  const wasAppended = (length: number) => {
    at += length;
    endBytes = Math.max(endBytes, at);
  };
  const append = async (to: FileHandle, bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;)
      done += (await to.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    wasAppended(bytes.length);
  };
  return {
    append: (bytes) => append(file, bytes),
    appendDurably: (bytes) => append(durable, bytes),
    offer: (bytes) => offerWrite(durable.fd, at, bytes),
    wasAppended,
    async truncate(length) {
      await file.truncate(length);
      at = endBytes = length;
    },
    async allocate(length) {
      if (endBytes >= length) return;
      while (endBytes < length)
        endBytes += (await file.write(Buffer.alloc(length - endBytes), 0, undefined, endBytes)).bytesWritten;
      await file.datasync();
    },
    sync: () => file.datasync(),
    close: async () => void (await Promise.all([file.close(), durable.close()])),
  };
}

/** More than a journal ever has of room. */
const maxZeroBytes = 1024 * 1024;

async function isZeroFrom(file: FileHandle, from: number, to: number): Promise<boolean> {
  if (to < from || to - from > maxZeroBytes) return false;
  const tail = Buffer.alloc(to - from, 1);
  const { bytesRead } = await file.read(tail, 0, tail.length, from);
  return bytesRead === tail.length && tail.equals(Buffer.alloc(tail.length));
}
