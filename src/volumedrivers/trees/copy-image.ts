import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import { cloneFile, copyFileRange, lseek, nextData, nextHole, SEEK_SET } from "../../syscall/index.ts";

/** So little in one call that who is killed ends soon. */
const maxRangeBytes = 2 ** 26;

/**
 * Copies a file, with its holes: by sharing its blocks, which takes a moment, else by reading it.
 * @throws FAILED_PRECONDITION where only the second can be and `atOnce` was asked for.
 */
export function copyImage(from: string, to: string, atOnce: boolean): void {
  const source = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  const target = openSync(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    fsyncSync(source); // what the kernel still holds of a mounted one
    if (!cloneFile(source, target)) {
      if (atOnce) {
        const why = "is mounted, and its file system shares no blocks of files (xfs, btrfs), so no copy would be whole";
        throw new CleatError("FAILED_PRECONDITION", `image "${from}" ${why}`);
      }
      copyData(source, target);
    }
    fsyncSync(target);
  } finally {
    closeSync(target);
    closeSync(source);
  }
}

function copyData(source: number, target: number): void {
  const { size } = fstatSync(source);
  ftruncateSync(target, size);
  for (let at = nextData(source, 0); at < size; at = nextData(source, at)) {
    const end = nextHole(source, at);
    lseek(source, at, SEEK_SET);
    lseek(target, at, SEEK_SET);
    while (at < end) {
      const count = copyFileRange(source, target, Math.min(end - at, maxRangeBytes));
      if (count === 0) throw new CleatError("ABORTED", "image became shorter while it was copied");
      at += count;
    }
  }
}
