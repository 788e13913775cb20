import type { FileStatus } from "../syscall/index.ts";

/**
 * What a walk knows of files that have several names: of each what it kept at the first, until the last has come. So
 * memory grows with the files whose names lie apart, one entry for each, and not with the tree; those that have a name
 * outside of what is walked stay to the end.
 */
export interface LinkedFiles<T> {
  /** What was kept at an earlier name of the same file; where there was none, keeps `value` for later ones. */
  meet(status: FileStatus, value: T): T | undefined;
  /** The next name counts as the first again. */
  forget(status: FileStatus): void;
}

export function createLinkedFiles<T>(): LinkedFiles<T> {
  const files = new Map<bigint, { readonly value: T; namesLeft: number }>();
  return {
    meet({ inode, links }, value) {
      if (links <= 1) return undefined;
      const earlier = files.get(inode);
      if (earlier === undefined) {
        files.set(inode, { value, namesLeft: links - 1 });
        return undefined;
      }
      earlier.namesLeft--;
      if (earlier.namesLeft === 0) files.delete(inode);
      return earlier.value;
    },
    forget: ({ inode }) => void files.delete(inode),
  };
}
