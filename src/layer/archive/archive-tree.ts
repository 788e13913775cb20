import { fgetxattr, isDirectory, readEntries, statIfThere } from "../../syscall/index.ts";
import { type ByteSink, tarEndBlocks } from "../../tar/index.ts";
import type { ArchiveDialect } from "./archive-dialect.ts";
import { type ArchiveWriter, createArchiveWriter } from "./archive-writer.ts";
import { joinPath } from "../entry/entry-name.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
import { createIdMaps, type IdRanges } from "../entry/id-map.ts";
import { noUserNames, readUserNames } from "./user-names.ts";
import { isYes, type WhiteoutConvention } from "../entry/whiteout.ts";

export interface ArchiveOptions {
  /** With the overlay convention, the folder is a layer's diff and its deletions become whiteout files. */
  readonly whiteouts: WhiteoutConvention;
  readonly ids: IdRanges;
  readonly archiveDialect: ArchiveDialect;
}

/**
 * Archives all that lies below an open folder: each folder before its content, names in the order of their bytes, no
 * entry for the root. Memory does not grow with the tree, but for files that have several names. Blocks; runs on a
 * worker.
 * `onEntry` is called before each entry is looked at; what it throws ends the archive.
 * @throws ABORTED when a file shrinks while it is read.
 */
export function archiveTree(root: number, sink: ByteSink, options: ArchiveOptions, onEntry: () => void = ignore): void {
  const { whiteouts } = options;
  const opaqueAttribute = whiteouts.kind === "overlay" ? `${whiteouts.attributePrefix}overlay.opaque` : undefined;
  const writer = createArchiveWriter(sink, archiveWriterOptions(options));
  addBelow(createFolderTrail(root), "", { writer, opaqueAttribute, onEntry });
  writer.finish();
}

function ignore(): void {}

/** What `archiveTree` writes of a folder in which nothing lies. */
export const emptyArchive: Uint8Array = tarEndBlocks;

export function archiveWriterOptions({ whiteouts, ids, archiveDialect }: ArchiveOptions) {
  const isOld = archiveDialect === "docker-20.10";
  return {
    ids: createIdMaps(ids),
    names: isOld ? readUserNames() : noUserNames,
    typeBits: isOld,
    overlayWhiteouts: whiteouts.kind === "overlay",
  };
}

interface Archive {
  readonly writer: ArchiveWriter;
  readonly opaqueAttribute: string | undefined;
  readonly onEntry: () => void;
}

function addBelow(trail: FolderTrail, path: string, archive: Archive): void {
  const { writer, opaqueAttribute, onEntry } = archive;
  for (const { name, text, isRegular } of readEntries(trail.current())) {
    onEntry();
    const childPath = joinPath(path, text);
    if (isRegular && writer.addListedFile(trail.current(), name, childPath)) continue;
    const status = statIfThere(trail.current(), name);
    if (status === undefined) continue;
    if (!isDirectory(status)) {
      writer.addFile(trail.current(), name, childPath, status);
      continue;
    }
    trail.within(name, () => {
      const child = trail.current();
      writer.addDirectory(child, childPath, status);
      if (opaqueAttribute !== undefined && isYes(fgetxattr(child, opaqueAttribute))) {
        writer.addOpaqueMarker(childPath, status);
      }
      addBelow(trail, childPath, archive);
    });
  }
}
