import { CleatError, isSystemError } from "../../errors/index.ts";
import { fstat, isDirectory, S_IFMT, S_IFSOCK, close } from "../../syscall/index.ts";
import type { ByteSink } from "../../tar/index.ts";
import type { ChangedFile, LayerChange } from "../changes/layer-change.ts";
import { showBytes } from "../entry/entry-name.ts";
import { fileKey } from "../entry/file-key.ts";
import { createIdMaps } from "../entry/id-map.ts";
import { openConfinedFolder } from "../tree/confine.ts";
import { withFolder } from "../tree/with-folder.ts";
import { type ArchiveWriter, createArchiveWriter } from "./archive-writer.ts";
import { noUserNames } from "./user-names.ts";

export interface ArchiveChangesOptions {
  /** Later times of files are written as this one: a `SOURCE_DATE_EPOCH`. */
  readonly latestSeconds?: number | undefined;
}

/**
 * Archives changes as containerd does, so that a layer gets the same digest from either: before a change the folders
 * that it lies in, unless the archive has them; whole seconds; owners by number; of attributes only
 * `security.capability`; whiteouts of 1970, and one for each name that an opaque folder hides. `root` is the folder in
 * which the changes were found: the newer tree, or the layer that holds them.
 *
 * Sockets are left out; one that stands in the place of a file is a deletion of that, which containerd forgets. Memory
 * is a name for each folder, and for each file that has several. Blocks; runs on a worker.
 *
 * Source: containerd v2.1.9 `pkg/archive/tar.go` `ChangeWriter`. Its 1.6 and 1.7 give whiteouts the time of the call.
 * @throws ABORTED when a file shrinks, or a folder is taken away, while it is read.
 */
export function archiveChanges(
  changes: Iterable<LayerChange>,
  root: number,
  sink: ByteSink,
  { latestSeconds }: ArchiveChangesOptions = {},
): void {
  const writer = createArchiveWriter(sink, { ...writerOptions, ...(latestSeconds !== undefined && { latestSeconds }) });
  const addFoldersOf = createFolderAdder(root, writer);
  const links = createLinks((file) => {
    addFoldersOf(file.path);
    return writer.addFile(file.folder, file.base, file.path, file.status);
  });
  for (const change of changes) {
    if (change.kind === "same") {
      links.addUnchanged(change);
      continue;
    }
    const isSocket = change.kind !== "deleted" && (change.status.mode & S_IFMT) === S_IFSOCK;
    if (isSocket && change.kind === "added") continue;
    if (change.kind === "deleted" || isSocket) {
      addFoldersOf(change.path);
      writer.addWhiteout(change.path, 0);
    } else if (isDirectory(change.status)) {
      const { path, folder, base, status } = change;
      addFoldersOf(path, true);
      withFolder(folder, base, (child) => writer.addDirectory(child, path, status));
    } else links.addChanged(change);
  }
  writer.finish();
}

const writerOptions = {
  ids: createIdMaps({ uids: [], gids: [] }),
  names: noUserNames,
  typeBits: false,
  overlayWhiteouts: false,
  capabilityRootIds: true,
};

/**
 * Adds the folders above a path that the archive lacks, the uppermost first; with `isFolder` the path is about to be
 * added.
 */
function createFolderAdder(root: number, writer: ArchiveWriter) {
  const added = new Set<string>();
  function addFolder(path: string): void {
    if (added.has(path)) return;
    addFoldersOf(path, true);
    const folder = openFolderAt(root, path);
    try {
      writer.addDirectory(folder, path, fstat(folder));
    } finally {
      close(folder);
    }
  }
  function addFoldersOf(path: string, isFolder = false): void {
    const end = path.lastIndexOf("/");
    if (end > 0) addFolder(path.slice(0, end));
    if (isFolder) added.add(path);
  }
  return addFoldersOf;
}

function openFolderAt(root: number, path: string): number {
  try {
    return openConfinedFolder(root, Buffer.from(path, "latin1"));
  } catch (error) {
    if (!isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "EXDEV")) throw error;
    throw new CleatError("ABORTED", `folder ${showBytes(path)} was taken away while it was read`, { cause: error });
  }
}

/**
 * The names of one file: those that did not change belong into the archive with the first that did, or after it.
 * `add` is false where another file has taken the name since: of that the others are no names.
 */
function createLinks(add: (file: Pick<ChangedFile, "folder" | "base" | "path" | "status">) => boolean) {
  const written = new Set<string>();
  const waiting = new Map<string, string[]>();
  return {
    addChanged(file: ChangedFile): void {
      if (!add(file) || file.status.links <= 1) return;
      const key = fileKey(file.status);
      written.add(key);
      for (const path of waiting.get(key) ?? []) add({ ...file, path });
      waiting.delete(key);
    },
    addUnchanged(file: ChangedFile): void {
      const key = fileKey(file.status);
      if (written.has(key)) return void add(file);
      const paths = waiting.get(key);
      if (paths === undefined) waiting.set(key, [file.path]);
      else paths.push(file.path);
    },
  };
}
