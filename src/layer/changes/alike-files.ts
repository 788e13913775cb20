/**
 * What two files differ in that are alike in all that `stat` shows. Size and time tell little: programs set times
 * (`touch -d`, `cp -p`), builds give all files one date, and some file systems keep whole seconds.
 */
import { readSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import {
  close,
  type FileStatus,
  isRegularFile,
  lgetxattr,
  nextData,
  procPath,
  readlinkat,
  S_IFLNK,
  S_IFMT,
  throwIfCancelled,
} from "../../syscall/index.ts";
import { openRegular } from "../tree/open-regular.ts";

/**
 * Whether a diff carries something else of the file that `newer` has under a name than of the one in `older`, given
 * that `stat` shows the same of both: content, capabilities, a symlink's target. Reads both files up to the first
 * difference, holes left out.
 */
export function alikeFilesDiffer(newer: number, older: number, name: Buffer, status: FileStatus): boolean {
  if (isRegularFile(status)) {
    return capabilitiesDiffer(newer, older, name) || (status.sizeBytes > 0 && contentsDiffer(newer, older, name));
  }
  return (status.mode & S_IFMT) === S_IFLNK && targetsDiffer(newer, older, name);
}

function targetsDiffer(newer: number, older: number, name: Buffer): boolean {
  try {
    return !readlinkat(newer, name).equals(readlinkat(older, name));
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EINVAL")) return true; // replaced since it was listed
    throw error;
  }
}

function capabilitiesDiffer(newer: number, older: number, name: Buffer): boolean {
  const after = lgetxattr(procPath(newer, name), "security.capability");
  const before = lgetxattr(procPath(older, name), "security.capability");
  return after === undefined || before === undefined ? after !== before : !after.equals(before);
}

/** A file that is being replaced meanwhile differs. */
function contentsDiffer(newer: number, older: number, name: Buffer): boolean {
  const after = openRegular(newer, name);
  if (after === undefined) return true;
  try {
    const before = openRegular(older, name);
    if (before === undefined) return true;
    try {
      return descriptorsDiffer(after, before);
    } finally {
      close(before);
    }
  } finally {
    close(after);
  }
}

/** What is read of a file at once; a thread has two such buffers. */
const chunkBytes = 128 * 1024;
let chunks: readonly [Buffer, Buffer] | undefined;

function descriptorsDiffer(newer: number, older: number): boolean {
  const [after, before] = (chunks ??= [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)]);
  for (let at = 0; ;) {
    throwIfCancelled();
    const count = readChunk(newer, after, at);
    if (count !== readChunk(older, before, at)) return true;
    if (after.compare(before, 0, count, 0, count) !== 0) return true;
    if (count < chunkBytes) return false;
    // What is a hole in both is zeros in both, and may be a terabyte.
    at = Math.min(nextData(newer, at + count), nextData(older, at + count));
    if (at === Number.POSITIVE_INFINITY) return false;
  }
}

/** Fewer bytes than the buffer holds at the end of the file only. */
function readChunk(descriptor: number, chunk: Buffer, position: number): number {
  let filled = 0;
  while (filled < chunk.length) {
    const count = readSync(descriptor, chunk, filled, chunk.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
