import { close, type FileStatus, isDirectory, statIfThere } from "../syscall/index.ts";
import type { ByteSink } from "../tar/index.ts";
import { type ArchiveOptions, archiveWriterOptions } from "./archive-tree.ts";
import { createArchiveWriter } from "./archive-writer.ts";
import type { TreeChange } from "./change.ts";
import { openConfinedFolder } from "./confine.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Archives the changed files of a whole tree, open as `root`, and a whiteout for each deleted one, in the order given.
 * Whiteouts carry the time of the call. Source: moby v20.10.24 `pkg/archive/changes.go` `ExportChanges`.
 */
export function archiveChanges(
  root: number,
  changes: readonly TreeChange[],
  sink: ByteSink,
  options: ArchiveOptions,
): void {
  const writer = createArchiveWriter(sink, archiveWriterOptions(options));
  const nowSeconds = Math.round(Date.now() / 1000);
  visitChanges(root, changes, {
    present(folder, base, path, status) {
      if (isDirectory(status)) withFolder(folder, base, (child) => writer.addDirectory(child, path, status));
      else writer.addFile(folder, base, path, status);
    },
    deleted: (path) => writer.addWhiteout(path, nowSeconds),
  });
  writer.finish();
}

/** Bytes of the files that changes add or modify; each inode once. Source: `ChangesSize`, same file. */
export function changesSize(root: number, changes: readonly TreeChange[]): number {
  const seen = new Set<bigint>();
  let total = 0;
  visitChanges(root, changes, {
    present(_folder, _base, _path, status) {
      if (isDirectory(status) || seen.has(status.inode)) return;
      if (status.links > 1) seen.add(status.inode);
      total += status.sizeBytes;
    },
    deleted: () => {},
  });
  return total;
}

interface ChangeVisitor {
  present(folder: number, base: Buffer, path: string, status: FileStatus): void;
  deleted(path: string): void;
}

/** Visits changes in order; the folder that holds a file stays open while the next lies in it too. What vanished is passed over. */
function visitChanges(root: number, changes: readonly TreeChange[], visitor: ChangeVisitor): void {
  let open: { readonly path: string; readonly descriptor: number } | undefined;
  try {
    for (const { path, kind } of changes) {
      if (kind === "deleted") {
        visitor.deleted(path);
        continue;
      }
      const at = path.lastIndexOf("/");
      const folder = at < 0 ? "" : path.slice(0, at);
      if (open?.path !== folder) {
        const descriptor = openConfinedFolder(root, Buffer.from(folder, "latin1"));
        if (open !== undefined) close(open.descriptor);
        open = { path: folder, descriptor };
      }
      const base = Buffer.from(path.slice(at + 1), "latin1");
      const status = statIfThere(open.descriptor, base);
      if (status !== undefined) visitor.present(open.descriptor, base, path, status);
    }
  } finally {
    if (open !== undefined) close(open.descriptor);
  }
}
