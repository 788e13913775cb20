import {
  chmodNode,
  chownat,
  close,
  type DirectoryEntry,
  type FileStatus,
  fstat,
  isDirectory,
  isRegularFile,
  lgetxattr,
  linkat,
  llistxattr,
  lseek,
  lsetxattr,
  mkdirat,
  mknodat,
  procPath,
  readlinkat,
  readEntries,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SEEK_SET,
  statIfThere,
  symlinkat,
  utimensat,
} from "../../syscall/index.ts";
import { CleatError } from "../../errors/index.ts";
import { joinPath, showBytes } from "../entry/entry-name.ts";
import { createFolderTrail, type FolderTrail, type WalkedFolder, walkFolders } from "../tree/folder-trail.ts";
import { openRegularFile } from "../tree/open-regular.ts";
import { fileKey } from "../entry/file-key.ts";
import type { AskCopyHelp } from "./copy-beside.ts";
import { type Cloning, copyOpenAttributes, copyOpened, ownerAndMode } from "./copy-file.ts";
import { createFolderHandOver, type FolderHandOver } from "./folder-hand-over.ts";
import { dropInheritedAt } from "./inherited-access.ts";
import { creationMode } from "./owner-and-mode.ts";

/**
 * Copies all that lies below the open folder `from` into the empty open folder `to`, attributes of `from` itself
 * included: files of every kind, owners, modes, times to the nanosecond, extended attributes, hard links among
 * the files. Content is shared where the file system can (reflink), copied within the kernel else. Sockets are
 * passed over: they mean nothing without their process. Costs a walk; blocks; runs on a worker, and on a second one
 * where `askHelp` brings one.
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 */
export function copyTree(from: number, to: number, askHelp?: AskCopyHelp): void {
  const beside = createFolderHandOver(askHelp);
  const copy: Copy = { root: to, linked: new Map(), clones: true, beside };
  try {
    withTrails(from, to, (trails) => copyBelow(trails, beginFolder(trails, "", fstat(from), copy), copy));
    takeHanded(copy);
  } finally {
    beside.end();
  }
}

interface Copy extends Cloning {
  readonly root: number;
  /** Files with several names: the path below `root` that they were copied to first. */
  readonly linked: Map<string, Buffer>;
  readonly beside: FolderHandOver;
}

/** Where the walk stands in both trees. */
interface Trails {
  readonly sources: FolderTrail;
  readonly targets: FolderTrail;
}

function withTrails(from: number, to: number, walk: (trails: Trails) => void): void {
  const trails: Trails = { sources: createFolderTrail(from), targets: createFolderTrail(to) };
  try {
    walk(trails);
  } finally {
    trails.sources.close();
    trails.targets.close();
  }
}

/** A folder that both trails have entered. */
interface CopiedFolder extends WalkedFolder<DirectoryEntry> {
  readonly path: string;
  readonly own: FileStatus;
  /** Whether its regular files are another thread's to copy. */
  readonly isHanded: boolean;
}

function copyBelow(trails: Trails, top: CopiedFolder, copy: Copy): void {
  const leave = (folder: CopiedFolder): void => {
    endFolder(trails, folder, copy);
    if (folder === top) return;
    trails.sources.leave();
    trails.targets.leave();
  };
  walkFolders(top, (entry, { path }) => copyEntry(trails, path, entry, copy), leave);
}

function beginFolder({ sources, targets }: Trails, path: string, own: FileStatus, copy: Copy): CopiedFolder {
  const entries = readEntries(sources.current());
  const regular = entries.filter(({ isRegular }) => isRegular).length;
  if (copy.beside.isFor(regular)) takeHanded(copy);
  const isHanded = copy.beside.hand(sources.current(), targets.current(), { path, own }, regular);
  const pending = isHanded ? entries.filter(({ isRegular }) => !isRegular) : entries;
  return { path, own, isHanded, pending: pending.toReversed() };
}

/** Files that are still being made in it would change its times. */
function endFolder({ sources, targets }: Trails, { own, isHanded }: CopiedFolder, copy: Copy): void {
  if (isHanded) copy.beside.leave();
  else copyOpenAttributes(sources.current(), targets.current(), own);
}

/** Enters a folder, and returns what is to be copied there. */
function copyEntry(
  trails: Trails,
  path: string,
  { name, text, isRegular }: DirectoryEntry,
  copy: Copy,
): CopiedFolder | undefined {
  const from = trails.sources.current();
  const to = trails.targets.current();
  const childPath = joinPath(path, text);
  // What the folder says spares the look at it before it is opened.
  if (isRegular && copyListedFile(from, to, name, childPath, copy)) return undefined;
  const status = statIfThere(from, name);
  if (status === undefined) return undefined;
  if (isDirectory(status)) {
    mkdirat(to, name, creationMode(ownerAndMode(status), true));
    trails.sources.enter(name);
    trails.targets.enter(name);
    return beginFolder(trails, childPath, status, copy);
  }
  if (isRegularFile(status)) {
    // A file system that lists no kinds; what is none by now has vanished.
    copyListedFile(from, to, name, childPath, copy);
  } else if (!linkToCopy(to, name, childPath, status, copy)) copyNode(from, to, name, status, copy);
  return undefined;
}

/** What is left to do in the folder that was handed on last, once its files are copied. */
function takeHanded(copy: Copy): void {
  copy.beside.take(({ source, target, path, own, hasLeft }) => {
    if (hasLeft) copyLeft(source, target, path, copy);
    copyOpenAttributes(source, target, own);
  });
}

/** Files with several names; what is no file any more has vanished, as elsewhere. */
function copyLeft(source: number, target: number, path: string, copy: Copy): void {
  lseek(source, 0, SEEK_SET);
  for (const { name, text, isRegular } of readEntries(source)) {
    if (isRegular && statIfThere(target, name) === undefined)
      copyListedFile(source, target, name, joinPath(path, text), copy);
  }
}

/** Whether the file had been copied under another name, of which `name` is now a link. */
function linkToCopy(to: number, name: Buffer, path: string, status: FileStatus, copy: Copy): boolean {
  if (status.links <= 1) return false;
  const key = fileKey(status);
  const earlier = copy.linked.get(key);
  if (earlier === undefined) copy.linked.set(key, Buffer.from(path, "latin1"));
  else linkat(copy.root, earlier, to, name);
  return earlier !== undefined;
}

/** Copies what is no folder; a socket is passed over. */
export function copyNode(from: number, to: number, name: Buffer, status: FileStatus, copy: Cloning): void {
  const type = status.mode & S_IFMT;
  if (type === S_IFSOCK) return;
  if (type === S_IFREG) return copyFile(from, to, name, copy);
  if (type === S_IFLNK) symlinkat(readlinkat(from, name), to, name);
  else mknodat(to, name, status.mode, status.deviceMajor, status.deviceMinor);
  chownat(to, name, status.uid, status.gid);
  if (type !== S_IFLNK) {
    if (copy.intoFinished) dropInheritedAt(to, name);
    // Made with it, but for the umask, and for what the new owner has cost it.
    chmodNode(to, name, status.mode & 0o7777);
  }
  const source = procPath(from, name);
  for (const attribute of llistxattr(source)) {
    const value = lgetxattr(source, attribute);
    if (value !== undefined) lsetxattr(procPath(to, name), attribute, value);
  }
  utimensat(to, name, status.mtimeSeconds, status.mtimeNanoseconds);
}

/** False where it is no regular file now, and nothing was copied. */
function copyListedFile(from: number, to: number, name: Buffer, path: string, copy: Copy): boolean {
  const file = openRegularFile(from, name);
  if (file === undefined) return false;
  const { descriptor: source, status } = file;
  try {
    if (!linkToCopy(to, name, path, status, copy)) copyOpened(source, to, name, status, copy);
  } finally {
    close(source);
  }
  return true;
}

/** As it is once it is open: whoever can write there may have put a node of the host's disk in its place. */
function copyFile(from: number, to: number, name: Buffer, copy: Cloning): void {
  const file = openRegularFile(from, name);
  if (file === undefined) {
    const shown = showBytes(name.toString("latin1"));
    throw new CleatError("ABORTED", `file ${shown} was taken away while it was copied`);
  }
  try {
    copyOpened(file.descriptor, to, name, file.status, copy);
  } finally {
    close(file.descriptor);
  }
}
