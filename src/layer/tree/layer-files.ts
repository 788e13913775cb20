/**
 * Reading files of an unpacked layer by the names that an archive gave them. Whatever the names say, and whatever
 * symlinks they meet, what is opened is a regular file below the layer's root.
 */
import { readSync } from "node:fs";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { close, isRegularFile, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, openat, statat } from "../../syscall/index.ts";
import type { FileGetter } from "../../tar/index.ts";
import { openConfinedFolder } from "./confine.ts";
import { parseEntryName, showBytes } from "../entry/entry-name.ts";
import { statOpened } from "./with-folder.ts";

/**
 * Opens a file for reading; the descriptor is the caller's to close. Symlinks are followed on the way to the file, as
 * `applyLayer` follows them, and never at its end.
 * @throws NOT_FOUND when there is no regular file of that name.
 * @throws INVALID_ARGUMENT when the name climbs out of the layer.
 */
export function openLayerFile(root: number, name: Buffer): number {
  const shown = `file ${showBytes(name.toString("latin1"))}`;
  const path = parseEntryName(name);
  if (path === undefined) throw new CleatError("NOT_FOUND", `${shown} is the layer's root`);
  let folder: number | undefined;
  try {
    folder = openConfinedFolder(root, Buffer.from(path.folder, "latin1"));
    // Asked for before it is opened as well: to open a device, as any layer may bring one, is to use it.
    if (isRegularFile(statat(folder, path.base))) {
      const descriptor = openat(folder, path.base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (isRegularFile(statOpened(descriptor))) return descriptor;
      close(descriptor);
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG")) {
      throw new CleatError("NOT_FOUND", `${shown} does not exist`, { cause: error });
    }
    throw toCleatError(error, shown);
  } finally {
    if (folder !== undefined) close(folder);
  }
  throw new CleatError("NOT_FOUND", `${shown} is not a regular file`);
}

const chunkBytes = 128 * 1024;

/** Hands out contents, one file at a time. */
export function createLayerFiles(root: number): FileGetter {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  return {
    open(name) {
      const descriptor = openLayerFile(root, name);
      return {
        read() {
          const count = readSync(descriptor, chunk, 0, chunkBytes, null);
          return count === 0 ? undefined : chunk.subarray(0, count);
        },
        close: () => close(descriptor),
      };
    },
  };
}
