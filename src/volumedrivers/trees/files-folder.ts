/** The folder that holds a volume's files: a subvolume where that can be, since those are copied in one moment. */
import { chmodSync, mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isSystemError } from "../../errors/index.ts";
import { withFolder, withFolderAt } from "../../layer/index.ts";
import {
  createSubvolume,
  destroySubvolume,
  fileSystemName,
  fstat,
  hasNestedSubvolumes,
  isSubvolume,
  snapshotSubvolume,
  syncfs,
} from "../../syscall/index.ts";

/** Makes an empty one, where none is yet: a subvolume on btrfs. */
export function makeFilesFolder(path: string): void {
  withFolderAt(dirname(path), (parent) => {
    try {
      if (fileSystemName(parent) === "btrfs") createSubvolume(parent, basename(path));
      else mkdirSync(path, { mode: 0o755 });
      chmodSync(path, 0o755);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
  });
}

/**
 * Makes a folder at `to`, where nothing is yet, that holds what `from` holds at one moment.
 * @returns false where there is no such thing, and nothing was made: of what is no subvolume of the same btrfs, or
 * holds others, which a snapshot leaves empty.
 */
export function snapshotFilesFolder(from: string, to: string): boolean {
  return withFolderAt(dirname(to), (parent) =>
    withFolderAt(from, (source) => {
      const alike = fileSystemName(source) === "btrfs" && fileSystemName(parent) === "btrfs";
      if (!alike || !isSubvolume(fstat(source)) || hasNestedSubvolumes(source)) return false;
      try {
        snapshotSubvolume(source, parent, basename(to));
      } catch (error) {
        if (isSystemError(error, "EXDEV", "EEXIST")) return false;
        throw error;
      }
      syncfs(parent);
      return true;
    }),
  );
}

/**
 * Deletes a subvolume, with what it holds; other folders are left as they are.
 * @returns false for one that holds further subvolumes, which is left, too.
 */
export function destroyFilesSubvolume(path: string): boolean {
  try {
    withFolderAt(dirname(path), (parent) => {
      if (fileSystemName(parent) !== "btrfs") return;
      if (withFolder(parent, basename(path), (folder) => isSubvolume(fstat(folder)))) {
        destroySubvolume(parent, basename(path));
      }
    });
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOTEMPTY")) return false;
    if (isSystemError(error, "ENOENT")) return true;
    throw error;
  }
}
