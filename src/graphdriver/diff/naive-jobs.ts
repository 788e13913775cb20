/** The blocking halves of `naive-diff.ts`, run on workers. Paths are those that a driver's `get` gave. */
import {
  archiveDifference as archiveTreeDifference,
  archiveTree,
  differenceSize,
  findChanges,
  type IdRanges,
  type WhiteoutConvention,
  withFolderAt,
} from "../../layer/index.ts";
import { createSyncRingWriter, type Ring, type SyncRingWriter } from "../../workers/index.ts";
import { writeChanges } from "./change-records.ts";

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
  writeInto(ring, (sink) =>
    withTrees(path, parentPath, (newer, older) => {
      if (older === undefined) archiveTree(newer, sink, { whiteouts, ...options });
      else archiveTreeDifference(newer, older, sink, { whiteouts, ...options });
    }),
  );
}

/** Writes the changes into the ring as `readChanges` reads them. */
export function sendChanges(path: string, parentPath: string | undefined, ring: Ring): void {
  writeInto(ring, (sink) =>
    withTrees(path, parentPath, (newer, older) => writeChanges(findChanges(newer, older), sink)),
  );
}

export function sizeOfDifference(path: string, parentPath: string | undefined): number {
  return withTrees(path, parentPath, differenceSize);
}

function withTrees<T>(
  path: string,
  parentPath: string | undefined,
  visit: (newer: number, older: number | undefined) => T,
): T {
  return withFolderAt(path, (newer) =>
    parentPath === undefined ? visit(newer, undefined) : withFolderAt(parentPath, (older) => visit(newer, older)),
  );
}

function writeInto(ring: Ring, write: (sink: SyncRingWriter) => void): void {
  const sink = createSyncRingWriter(ring);
  try {
    write(sink);
    sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}
