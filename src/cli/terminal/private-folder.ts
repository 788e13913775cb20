import { lstat } from "node:fs/promises";
import { isSystemError } from "../../errors/index.ts";

/**
 * Whether `path` is a folder of that user's alone. In another, somebody else could put a socket of his own in the place
 * of this user's.
 */
export async function isPrivate(path: string, uid: number): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  return found !== undefined && found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0;
}
