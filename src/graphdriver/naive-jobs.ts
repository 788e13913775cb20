/** The blocking halves of `naive-diff.ts`, run on workers. Paths are those that a driver's `get` gave. */
import {
  archiveChanges,
  archiveTree,
  changesSize,
  compareTrees,
  type IdRanges,
  type TreeChange,
  type WhiteoutConvention,
  withFolderAt,
} from "../layer/index.ts";
import { createSyncRingWriter, type Ring } from "../workers/index.ts";

export const naiveJobsUrl = import.meta.url;

export interface ArchiveTreeOptions {
  readonly ids: IdRanges;
  readonly userNames: boolean;
}

/** A whole tree keeps no deletions of its own. */
const whiteouts: WhiteoutConvention = { kind: "delete" };

export function archiveDifference(
  path: string,
  parentPath: string | undefined,
  ring: Ring,
  options: ArchiveTreeOptions,
): void {
  const sink = createSyncRingWriter(ring);
  try {
    const changes = parentPath === undefined ? undefined : findChanges(path, parentPath);
    withFolderAt(path, (tree) => {
      if (changes === undefined) archiveTree(tree, sink, { whiteouts, ...options });
      else archiveChanges(tree, changes, sink, { whiteouts, ...options });
    });
    sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

export function findChanges(path: string, parentPath: string | undefined): TreeChange[] {
  return withFolderAt(path, (newer) =>
    parentPath === undefined
      ? compareTrees(newer, undefined)
      : withFolderAt(parentPath, (older) => compareTrees(newer, older)),
  );
}

export function sizeOfDifference(path: string, parentPath: string | undefined): number {
  const changes = findChanges(path, parentPath);
  return withFolderAt(path, (tree) => changesSize(tree, changes));
}
