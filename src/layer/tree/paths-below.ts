import { isSystemError } from "../../errors/index.ts";
import { AT_FDCWD, readlinkat } from "../../syscall/index.ts";

/**
 * Tells where below `root` a folder lies that is open, without the symlinks by which it may have been reached; "" is
 * the root. `undefined` where the kernel does not tell: of a path that, with that of the root, is longer than a page.
 */
export function createPathsBelow(root: number): (descriptor: number) => string | undefined {
  const rootPath = pathOf(root);
  return (descriptor) => {
    const path = pathOf(descriptor);
    if (path === undefined || rootPath === undefined) return undefined;
    if (path === rootPath) return "";
    return path.startsWith(`${rootPath}/`) ? path.slice(rootPath.length + 1) : undefined;
  };
}

function pathOf(descriptor: number): string | undefined {
  try {
    return readlinkat(AT_FDCWD, `/proc/self/fd/${descriptor}`).toString("latin1");
  } catch (error) {
    if (isSystemError(error, "ENAMETOOLONG", "ENOENT")) return undefined;
    throw error;
  }
}
