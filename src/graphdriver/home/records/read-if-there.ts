import { readSync } from "node:fs";
import { SystemError } from "../../../errors/index.ts";
import {
  AT_FDCWD,
  close,
  errnos,
  fstat,
  isRegularFile,
  lastErrno,
  O_NONBLOCK,
  O_RDONLY,
  tryOpenat,
} from "../../../syscall/index.ts";

/** Records are small: a `lower` of 500 layers takes 14,499 bytes, the counts of ten thousand layers less than this. */
export const maxRecordBytes = 1 << 20;

/**
 * The text of a small file of a store; `undefined` where none is, and empty where something else has its name, as more
 * than 1 MiB. Nothing is waited for, as a FIFO would have it.
 */
export function readIfThere(path: string): string | undefined {
  const descriptor = tryOpenat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  if (descriptor < 0) return textOfUnopened(lastErrno(), path);
  try {
    const status = fstat(descriptor);
    if (!isRegularFile(status) || status.sizeBytes > maxRecordBytes) return "";
    return readStart(descriptor, status.sizeBytes);
  } finally {
    close(descriptor);
  }
}

/** Without an exception: that a file is not there is told as often as that it is. */
function textOfUnopened(errno: number, path: string): string | undefined {
  if (errno === errnos.ENOENT || errno === errnos.ENOTDIR) return undefined;
  if (errno === errnos.ENXIO || errno === errnos.ELOOP) return ""; // a socket, a symlink to itself
  throw new SystemError(errno, "open", path);
}

/**
 * The first bytes of an open file as text, fewer at its end only. Where the disk fails in the middle of a file, the
 * kernel first gives what it has, and fails who reads on: half of a record must not be taken for a whole one. Source:
 * Linux v6.1 `mm/filemap.c` `filemap_read`.
 */
export function readStart(descriptor: number, sizeBytes: number): string {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const count = readSync(descriptor, bytes, filled, sizeBytes - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.toString("utf8", 0, filled);
}
