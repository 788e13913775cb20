import { CleatError } from "../errors/index.ts";
import { type ByteSource, createTarReader, type TarHeader, type TarReader } from "../tar/index.ts";
import { classifyEntry, type EntryRole, reservedFolderOf } from "./whiteout.ts";
import { toEntryError } from "./entry-error.ts";
import { type EntryName, joinPath, parseEntryName } from "./entry-name.ts";
import { createEntryMaker, type EntryMaker } from "./make-entry.ts";
import { createIdMaps, type IdRanges } from "./id-map.ts";
import { createLowerFolders, type LowerFolders } from "./lower-folders.ts";
import { createOpenFolders } from "./open-folders.ts";
import { createWhiteoutMaker, type WhiteoutMaker } from "./make-whiteout.ts";
import { createDirectoryAttributes } from "./directory-attributes.ts";
import { removeTree } from "./remove-tree.ts";
import { squashHeader } from "./squash.ts";
import { keepInUserNamespace } from "./user-namespace.ts";
import { treeSize } from "./tree-size.ts";
import type { WhiteoutConvention } from "./whiteout.ts";

export interface ApplyOptions {
  readonly whiteouts: WhiteoutConvention;
  readonly ids: IdRanges;
  /**
   * With the overlay convention, the diff folders of the layers below, absolute, the uppermost first: whose attributes folders
   * get that the archive only implies. Source: containerd v1.6.20 `archive/tar.go` `mkparent`.
   */
  readonly lowers?: readonly string[];
  /** One `fsync` per file. */
  readonly syncFiles: boolean;
  /** Keeps of each entry what an ordinary user can (`squashHeader`); default false. */
  readonly squash?: boolean;
  /** Keeps of each entry what root of a user namespace can (`keepInUserNamespace`); default false. */
  readonly userNamespace?: boolean;
}

/**
 * Unpacks a layer's tar archive into the folder open as `root`, in one pass, with every name resolved below `root`.
 *
 * The folder must be the caller's alone, empty for the overlay convention, a copy of the parent for the deleting one. After
 * an error it holds part of the layer: callers unpack beside the final place and rename. Returns the size in bytes of the
 * files that the archive holds. Blocks; runs on a thread whose umask is 0 (`detachThread`), as a pool's are.
 *
 * @throws INVALID_ARGUMENT when the archive is malformed, or an entry would leave the layer or cannot be kept exactly.
 * @throws DATA_LOSS when the archive is truncated.
 * @throws RESOURCE_EXHAUSTED when the disk is full; other system errors by their errno.
 */
export function applyLayer(source: ByteSource, root: number, options: ApplyOptions): number {
  return applyEntries(createTarReader(source), root, options).sizeBytes;
}

export interface AppliedEntries {
  readonly sizeBytes: number;
  /** Whether something was taken away again that the archive itself may have brought. */
  readonly mayHaveLost: boolean;
}

/** As `applyLayer`, with what `reader` reads. */
export function applyEntries(reader: TarReader, root: number, options: ApplyOptions): AppliedEntries {
  const ids = createIdMaps(options.ids);
  const directories = createDirectoryAttributes(root, ids);
  const lowers = lowersOf(options);
  const folders = createOpenFolders(root, ids, lowers && { lowers, directories });
  const whiteouts = createWhiteoutMaker(folders, options.whiteouts);
  const maker = createEntryMaker({ folders, directories, whiteouts, ids, syncFiles: options.syncFiles });
  const keep = keptOf(options);
  /** Folders of aufs at the root, whose files are there to be hard-linked and gone in the end. */
  const reserved = new Set<string>();
  let deleted = false;
  try {
    for (let header = reader.next(); header !== undefined; header = reader.next()) {
      const name = parseEntryName(header.name);
      if (name === undefined) continue;
      const folder = reservedFolderOf(name.folder);
      if (folder !== undefined) reserved.add(folder);
      const kept = keep(header);
      if (kept !== undefined && applyEntry(name, kept, reader, maker, whiteouts) !== "file") deleted = true;
    }
    for (const folder of reserved) {
      removeTree(root, Buffer.from(folder, "latin1"));
      directories.drop(folder);
    }
    directories.settle();
  } finally {
    folders.close();
    lowers?.close();
  }
  // What gave way was counted; in a folder that holds the layer alone the sum can be taken anew.
  const deletes = options.whiteouts.kind === "delete";
  const isExact = deletes || !(maker.replacedAny() || reserved.size > 0);
  return {
    sizeBytes: isExact ? maker.sizeBytes() : treeSize(root),
    mayHaveLost: maker.replacedAny() || (deletes && deleted),
  };
}

function lowersOf({ whiteouts, lowers }: ApplyOptions): LowerFolders | undefined {
  if (whiteouts.kind !== "overlay" || lowers === undefined) return undefined;
  return createLowerFolders(lowers, whiteouts.attributePrefix);
}

/** What this process can keep of an entry; `undefined` when that is nothing. */
function keptOf({ squash, userNamespace }: ApplyOptions): (header: TarHeader) => TarHeader | undefined {
  if (squash) return squashHeader;
  return userNamespace ? keepInUserNamespace : (header) => header;
}

function applyEntry(
  name: EntryName,
  header: TarHeader,
  reader: TarReader,
  maker: EntryMaker,
  whiteouts: WhiteoutMaker,
): EntryRole["role"] {
  try {
    const entry = classifyEntry(name.base);
    if (entry.role === "opaque") whiteouts.makeOpaque(name.folder);
    else if (entry.role === "whiteout") whiteouts.hide(name.folder, entry.hidden);
    else if (entry.role === "file") maker.make(name, header, reader);
    return entry.role;
  } catch (error) {
    // The reader's own errors name their entry already.
    if (error instanceof CleatError) throw error;
    throw toEntryError(error, joinPath(name.folder, name.base), header);
  }
}
