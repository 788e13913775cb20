import { isDirectory } from "../../syscall/index.ts";
import type { ByteSink } from "../../tar/index.ts";
import { type ArchiveOptions, archiveWriterOptions } from "./archive-tree.ts";
import { createArchiveWriter } from "./archive-writer.ts";
import { findChanges, type IsKnownSame } from "../changes/compare-trees.ts";
import { fileKey } from "../entry/file-key.ts";
import { withFolder } from "../tree/with-folder.ts";

/**
 * Archives what two whole trees, both open as folders, differ in: the changed files of `newer` and a whiteout for each
 * deleted one, in the order of the bytes of their paths, while they are found. Whiteouts carry the time of the call.
 *
 * Memory as for `findChanges`, and besides a name for each file that has several, to the end: how many names a file has
 * is not a measure of how many will come, since names may lie outside of the tree, be added meanwhile, or be told of
 * too late, as FUSE does.
 *
 * Source: moby v20.10.24 `pkg/archive/changes.go` `ExportChanges`. Blocks; runs on a worker.
 * @throws ABORTED when a file shrinks while it is read.
 */
export function archiveDifference(
  newer: number,
  older: number,
  sink: ByteSink,
  options: ArchiveOptions,
  isKnownSame?: IsKnownSame,
): void {
  const writer = createArchiveWriter(sink, archiveWriterOptions(options));
  const nowSeconds = Math.round(Date.now() / 1000);
  for (const change of findChanges(newer, older, isKnownSame)) {
    if (change.kind === "deleted") {
      writer.addWhiteout(change.path, nowSeconds);
      continue;
    }
    const { path, folder, base, status } = change;
    if (isDirectory(status)) withFolder(folder, base, (child) => writer.addDirectory(child, path, status));
    else writer.addFile(folder, base, path, status);
  }
  writer.finish();
}

/** Bytes of the files that `newer` adds or modifies; each file once. Source: `ChangesSize`, same file. */
export function differenceSize(newer: number, older: number | undefined, isKnownSame?: IsKnownSame): number {
  const seen = new Set<string>();
  let total = 0;
  for (const change of findChanges(newer, older, isKnownSame)) {
    if (change.kind === "deleted") continue;
    const { status } = change;
    if (isDirectory(status) || seen.has(fileKey(status))) continue;
    if (status.links > 1) seen.add(fileKey(status));
    total += status.sizeBytes;
  }
  return total;
}
