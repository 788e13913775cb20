import { isSystemError } from "../errors/index.ts";
import { readNames, rmdirat, unlinkIfThere } from "../syscall/index.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Removes `name` in an open folder with everything below it; nothing there is success. Symlinks are removed, never
 * followed: each level is opened with `O_NOFOLLOW` relative to the one above.
 */
export function removeTree(parent: number, name: Buffer | string): void {
  if (tryUnlink(parent, name)) return;
  withFolder(parent, name, (folder) => {
    for (const child of readNames(folder)) removeTree(folder, child);
  });
  rmdirat(parent, name);
}

/** Whether nothing has the name any more; false for a folder. */
function tryUnlink(parent: number, name: Buffer | string): boolean {
  try {
    unlinkIfThere(parent, name);
    return true;
  } catch (error) {
    // Linux says EISDIR for a folder; POSIX would let it say EPERM, which some file systems do.
    if (isSystemError(error, "EISDIR", "EPERM")) return false;
    throw error;
  }
}
