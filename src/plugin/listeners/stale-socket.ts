import type { Stats } from "node:fs";
import { lstat, mkdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSystemError } from "../../errors/index.ts";

/** A claim this old was left by a process that was killed while it held it. */
const abandonedAfterMs = 5_000;

/**
 * Removes a socket that was found stale, in a race with others who found the same. Whoever wants to remove it claims
 * *that* socket by making a folder with its inode in the name; only the claimant removes, and only what is still the
 * socket it claimed, so that nobody removes the live one by which another has replaced it meanwhile. False when
 * another holds the claim.
 */
export async function removeStaleSocket(path: string, stale: Stats): Promise<boolean> {
  const claim = join(dirname(path), `.c-${stale.ino}-${Math.trunc(stale.birthtimeMs)}`);
  try {
    await mkdir(claim, { mode: 0o700 });
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    await removeAbandoned(claim);
    return false;
  }
  try {
    const found = await lstat(path).catch(absentWhenMissing);
    if (found !== undefined && isSame(found, stale)) await rm(path);
    return true;
  } finally {
    await rmdir(claim).catch(absentWhenMissing);
  }
}

async function removeAbandoned(claim: string): Promise<void> {
  const found = await lstat(claim).catch(absentWhenMissing);
  if (found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs) await rmdir(claim).catch(absentWhenMissing);
}

/** Numbers of removed inodes are used again at once, so the time of birth counts too. */
export function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev && one.birthtimeMs === other.birthtimeMs;
}

export function absentWhenMissing(error: unknown): undefined {
  if (!isSystemError(error, "ENOENT")) throw error;
}
