/**
 * Whether files would be others below an overlay: what overlayfs takes for marks of its own is then hidden, or hides.
 */
import { withFolder } from "../../layer/index.ts";
import { llistxattr, procPath, readNames, S_IFCHR, S_IFDIR, S_IFMT, S_IFREG, statat } from "../../syscall/index.ts";

/** Deeper trees are taken for marked: each level costs a descriptor. */
const maxDepth = 200;

/**
 * Of an overlay that is mounted with `userxattr`, which leaves the attributes "trusted.overlay.*" alone. Costs a look
 * at each file. Source: overlayfs.rst v6.1 "whiteouts and opaque directories", "User xattr".
 */
export function hasOverlayMarks(folder: number, depth = 0): boolean {
  if (depth > maxDepth) return true;
  return readNames(folder).some((name) => {
    const { mode, deviceMajor, deviceMinor } = statat(folder, name);
    const type = mode & S_IFMT;
    if (type === S_IFCHR) return deviceMajor === 0 && deviceMinor === 0;
    if (type !== S_IFDIR && type !== S_IFREG) return false; // nothing else has attributes of users: xattr(7)
    if (llistxattr(procPath(folder, name)).some((one) => one.startsWith("user.overlay."))) return true;
    return type === S_IFDIR && withFolder(folder, name, (inner) => hasOverlayMarks(inner, depth + 1));
  });
}
