import { CleatError } from "../../errors/index.ts";
import {
  type ByteSource,
  createTarReader,
  type TarHeader,
  type TarReader,
  type TarReaderOptions,
} from "../../tar/index.ts";
import { classifyEntry, type EntryRole, reservedFolderOf } from "../entry/whiteout.ts";
import { toEntryError } from "../entry/entry-error.ts";
import { type EntryName, joinPath, parseEntryName, unescapeXattrName } from "../entry/entry-name.ts";
import { createIdMaps, type IdRanges } from "../entry/id-map.ts";
import { createLowerFolders } from "../lowers/lower-folders.ts";
import { createMergedFolders } from "../lowers/merged-folders.ts";
import { removeTree } from "../tree/remove-tree.ts";
import { treeSize } from "../usage/tree-size.ts";
import type { WhiteoutConvention } from "../entry/whiteout.ts";
import type { LeaveOut } from "./folders/attributes.ts";
import { createEntryMaker, type EntryMaker } from "./entries/make-entry.ts";
import { createOpenFolders } from "./folders/open-folders.ts";
import { createDeletions } from "./whiteouts/deletions.ts";
import { createOverlayWhiteouts } from "./whiteouts/overlay-whiteouts.ts";
import type { LayersBelow } from "./whiteouts/settle-whiteouts.ts";
import type { WhiteoutMaker } from "./whiteouts/whiteout-maker.ts";
import { createHeldPaths, type HeldPaths } from "./paths/held-paths.ts";
import { createDirectoryAttributes } from "./folders/directory-attributes.ts";
import { squashHeader } from "./squash.ts";
import { keepInUserNamespace } from "./user-namespace.ts";

export interface ApplyOptions {
  readonly whiteouts: WhiteoutConvention;
  readonly ids: IdRanges;
  /**
   * With the overlay convention, the diff folders of the layers below, absolute, the uppermost first: whose attributes
   * folders get that the archive only implies, and without which it cannot be told what an opaque root hides, and which
   * whiteouts hide anything. Source: containerd v1.6.20 `archive/tar.go` `mkparent`.
   */
  readonly lowers?: readonly string[];
  /** One `fsync` per file. */
  readonly syncFiles: boolean;
  /** Keeps of each entry what an ordinary user can (`squashHeader`); default false. */
  readonly squash?: boolean;
  /** Keeps of each entry what root of a user namespace can (`keepInUserNamespace`); default false. */
  readonly userNamespace?: boolean;
  /** What the archive may ask for; each that is not given has its default (`defaultTarLimits`). */
  readonly limits?: Partial<TarReaderOptions>;
  /** Is told of extended attributes that cannot be held here and are passed over; without it they are errors. */
  readonly leaveOut?: LeaveOut | undefined;
}

/**
 * Unpacks a layer's tar archive into the folder open as `root`, in one pass, with every name resolved below `root`.
 *
 * The folder must be the caller's alone, empty for the overlay convention, a copy of the parent for the deleting one.
 * After an error it holds part of the layer: callers unpack beside the final place and rename. Returns the size in
 * bytes of the files that the archive holds. Blocks; runs on a thread whose umask is 0 (`detachThread`), as a pool's
 * are.
 *
 * @throws INVALID_ARGUMENT when the archive is malformed or exceeds a limit, or an entry would leave the layer
 *   or cannot be kept exactly.
 * @throws DATA_LOSS when the archive is truncated.
 * @throws RESOURCE_EXHAUSTED when the disk is full; other system errors by their errno.
 */
export function applyLayer(source: ByteSource, root: number, options: ApplyOptions): number {
  return applyEntries(createTarReader(source, options.limits), root, options).sizeBytes;
}

export interface AppliedEntries {
  readonly sizeBytes: number;
  /** Whether something was taken away again that the archive itself may have brought. */
  readonly mayHaveLost: boolean;
}

/**
 * Makes in the empty folder open as `root` all that an archive holds which is no layer: `.wh.` in a name, a device 0/0
 * and overlay's attributes are what they are anywhere, and an entry for the root itself gives it its attributes. Throws
 * and blocks as `applyLayer` does; an archive without end blocks is truncated.
 */
export function unpackTree(source: ByteSource, root: number, limits?: Partial<TarReaderOptions>): void {
  const ids = { uids: [], gids: [] };
  const whole = { needsEndBlocks: true, ...limits };
  applyLayer(source, root, { whiteouts: { kind: "none" }, ids, syncFiles: false, limits: whole });
}

/** As `applyLayer`, with what `reader` reads. */
export function applyEntries(reader: TarReader, root: number, options: ApplyOptions): AppliedEntries {
  const isLayer = options.whiteouts.kind !== "none";
  const { held, folders, directories, whiteouts, maker } = openTree(root, options);
  const reserved = createReservedFolders(held);
  const keep = keptOf(options);
  const readHeader = isLayer ? () => reader.next() : () => withPlainXattrs(reader.next());
  let hasDeleted = false;
  try {
    for (let header = readHeader(); header !== undefined; header = readHeader()) {
      const name = parseEntryName(header.name);
      if (name === undefined) {
        if (!isLayer && header.type === "directory") directories.set("", header);
        continue;
      }
      if (isLayer) reserved.note(name.folder);
      const kept = keep(header);
      if (kept === undefined) continue;
      const role = applyEntry(name, kept, reader, maker, isLayer ? whiteouts : undefined);
      if (role !== "file") hasDeleted = true;
    }
    for (const folder of reserved.all()) {
      removeTree(root, Buffer.from(folder, "latin1"));
      directories.drop(folder);
    }
    whiteouts.settle();
    directories.settle();
  } finally {
    folders.close();
  }
  const hasReplaced = maker.replacedAny();
  const deletesHere = options.whiteouts.kind === "delete";
  // What gave way was counted; in a folder that holds the layer alone the sum can be taken anew.
  const mustCountAnew = !deletesHere && (hasReplaced || reserved.all().size > 0);
  return {
    sizeBytes: mustCountAnew ? treeSize(root) : maker.sizeBytes(),
    mayHaveLost: hasReplaced || (deletesHere && hasDeleted),
  };
}

/** What makes, replaces and hides files in the tree that is open as `root`; its folders are closed in the end. */
function openTree(root: number, options: ApplyOptions) {
  const { syncFiles, leaveOut } = options;
  const ids = createIdMaps(options.ids);
  const held = createHeldPaths();
  const isWhole = options.whiteouts.kind === "none";
  const rules = { leaveOut, keepsOverlays: isWhole };
  const directories = createDirectoryAttributes(root, ids, held, rules);
  const below = belowOf(root, options);
  const folders = createOpenFolders(root, {
    ids,
    directories,
    merged: below?.merged,
    replaceByFolder: (parent, base, path) => whiteouts.replaceByFolder(parent, base, path),
  });
  const whiteouts: WhiteoutMaker =
    options.whiteouts.kind === "overlay"
      ? createOverlayWhiteouts(root, { folders, directories, held, prefix: options.whiteouts.attributePrefix, below })
      : createDeletions(folders, ids, held);
  const maker = createEntryMaker({ folders, directories, whiteouts, ids, syncFiles, rules, isWhole });
  return { held, folders, directories, whiteouts, maker };
}

/** Folders of aufs at the root, whose files are there to be hard-linked and gone in the end. */
function createReservedFolders(held: HeldPaths) {
  const reserved = new Set<string>();
  return {
    /** Of an entry, the folder that it is in. */
    note(path: string): void {
      const folder = reservedFolderOf(path);
      if (folder === undefined || reserved.has(folder)) return;
      held.hold(folder);
      reserved.add(folder);
    },
    all: (): ReadonlySet<string> => reserved,
  };
}

function belowOf(root: number, { whiteouts, lowers: paths }: ApplyOptions): LayersBelow | undefined {
  if (whiteouts.kind !== "overlay" || paths === undefined) return undefined;
  const lowers = createLowerFolders(paths, whiteouts.attributePrefix);
  return { lowers, merged: createMergedFolders(root, lowers, whiteouts.attributePrefix) };
}

/** What this process can keep of an entry; `undefined` when that is nothing. */
function keptOf({ squash, userNamespace }: ApplyOptions): (header: TarHeader) => TarHeader | undefined {
  if (squash) return squashHeader;
  return userNamespace ? keepInUserNamespace : (header) => header;
}

/** Of an archive that is no layer: its attributes are named as GNU tar names them. */
function withPlainXattrs(header: TarHeader | undefined): TarHeader | undefined {
  if (header === undefined || header.xattrs.size === 0) return header;
  const xattrs = [...header.xattrs].map(([name, value]) => [unescapeXattrName(name), value] as const);
  return { ...header, xattrs: new Map(xattrs) };
}

/** What every entry is of an archive that is no layer. */
const wholeEntry: EntryRole = { role: "file" };

function applyEntry(
  name: EntryName,
  header: TarHeader,
  reader: TarReader,
  maker: EntryMaker,
  whiteouts: WhiteoutMaker | undefined,
): EntryRole["role"] {
  try {
    const entry = whiteouts === undefined ? wholeEntry : classifyEntry(name.base);
    if (entry.role === "opaque") whiteouts?.makeOpaque(name.folder);
    else if (entry.role === "whiteout") whiteouts?.hide(name.folder, entry.hidden);
    else if (entry.role === "file") maker.make(name, header, reader);
    return entry.role;
  } catch (error) {
    // The reader's own errors name their entry already.
    if (error instanceof CleatError) throw error;
    throw toEntryError(error, joinPath(name.folder, name.base), header);
  }
}
