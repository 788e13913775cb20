/**
 * Access control lists that a new file has from the folder it is made in, which no archive spoke of: whoever may use
 * the folder around a store would decide who may read what in its layers. Source: acl(5), "object creation and default
 * ACLs".
 */
import { isSystemError } from "../../errors/index.ts";
import { fgetxattr, fremovexattr, lremovexattr, procPath } from "../../syscall/index.ts";

/** What new files in a folder get. */
export const defaultAcl = "system.posix_acl_default";
/** What a file has. Its mode's bits for the group are this list's mask then. */
const accessAcl = "system.posix_acl_access";

/**
 * Takes the lists from an open file or folder; its mode, which they have changed, is the caller's to set. Looks first:
 * to take away what is not there costs a file system's journal more than a look.
 */
export function dropInherited(descriptor: number): void {
  for (const name of [accessAcl, defaultAcl]) {
    if (fgetxattr(descriptor, name) !== undefined) fremovexattr(descriptor, name);
  }
}

/** As `dropInherited`, of `base` in an open folder, which is not a symlink: those have no lists. */
export function dropInheritedAt(folder: number, base: Buffer): void {
  const path = procPath(folder, base);
  for (const name of [accessAcl, defaultAcl]) ignoreAbsence(() => lremovexattr(path, name));
}

function ignoreAbsence(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!isSystemError(error, "ENODATA", "ENOTSUP")) throw error;
  }
}
