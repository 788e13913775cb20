import { close, dedupeRange, fstat, isDirectory, isRegularFile, readNames, statIfThere } from "../../syscall/index.ts";
import { fileKey } from "../entry/file-key.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
import { openRegular } from "../tree/open-regular.ts";

/** What became of the regular files that two trees have in common; each file once, in bytes of its length. */
export interface SharedContent {
  readonly sharedBytes: number;
  /** Kept twice: the file system does not share blocks, or the files differ. */
  readonly copiedBytes: number;
}

/**
 * Makes files below the open folder `to` share their blocks with those of the same name and length below `from`, where
 * the file system can (xfs with reflink, btrfs). The kernel compares the bytes first, so that nothing changes in either
 * but where `to` keeps them. Costs a walk of `to`, and reading what is shared; blocks; runs on a worker. May be done
 * twice.
 */
export function shareContent(from: number, to: number): SharedContent {
  const share: Share = { seen: new Set(), isPossible: true, sharedBytes: 0, copiedBytes: 0 };
  shareFolder(createFolderTrail(from), createFolderTrail(to), share);
  return { sharedBytes: share.sharedBytes, copiedBytes: share.copiedBytes };
}

interface Share {
  /** Files with several names that have been dealt with. */
  readonly seen: Set<string>;
  /** Whether the file systems are still believed to share blocks. */
  isPossible: boolean;
  sharedBytes: number;
  copiedBytes: number;
}

function shareFolder(sources: FolderTrail, targets: FolderTrail, share: Share): void {
  for (const name of readNames(targets.current())) {
    const [source, target] = [statIfThere(sources.current(), name), statIfThere(targets.current(), name)];
    if (source === undefined || target === undefined) continue;
    if (isDirectory(source) && isDirectory(target)) {
      sources.within(name, () => targets.within(name, () => shareFolder(sources, targets, share)));
    } else if (isRegularFile(source) && isRegularFile(target) && !wasSeen(fileKey(target), share)) {
      const shared = source.sizeBytes === target.sizeBytes ? shareFile(sources, targets, name, share) : 0;
      share.sharedBytes += shared;
      share.copiedBytes += target.sizeBytes - shared;
    }
  }
}

function wasSeen(key: string, { seen }: Share): boolean {
  const was = seen.has(key);
  seen.add(key);
  return was;
}

/** @returns how many bytes the two share. */
function shareFile(sources: FolderTrail, targets: FolderTrail, name: Buffer, share: Share): number {
  if (!share.isPossible) return 0;
  const source = openRegular(sources.current(), name);
  if (source === undefined) return 0;
  try {
    const target = openRegular(targets.current(), name);
    if (target === undefined) return 0;
    try {
      return shareOpened(source, target, share);
    } finally {
      close(target);
    }
  } finally {
    close(source);
  }
}

/** What one call is asked for, which is also the most that btrfs does at once. Source: `fs/btrfs/reflink.c` v6.1. */
const maxRangeBytes = 2 ** 24;

function shareOpened(source: number, target: number, share: Share): number {
  const { sizeBytes } = fstat(target);
  let at = 0;
  while (at < sizeBytes) {
    const count = dedupeRange(source, target, at, Math.min(sizeBytes - at, maxRangeBytes));
    if (count === undefined) share.isPossible = false;
    if (count === undefined || count === 0) break;
    at += count;
  }
  return at;
}
