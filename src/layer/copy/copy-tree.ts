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
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
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
 */
export function copyTree(from: number, to: number, askHelp?: AskCopyHelp): void {
  const beside = createFolderHandOver(askHelp);
  const copy: Copy = { root: to, linked: new Map(), clones: true, beside };
  try {
    copyFolder(createFolderTrail(from), createFolderTrail(to), "", fstat(from), copy);
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

/** All that lies in the folder that both stand in, and its own attributes. */
function copyFolder(sources: FolderTrail, targets: FolderTrail, path: string, own: FileStatus, copy: Copy): void {
  const entries = readEntries(sources.current());
  const regular = entries.filter(({ isRegular }) => isRegular).length;
  if (copy.beside.isFor(regular)) takeHanded(copy);
  const isHanded = copy.beside.hand(sources.current(), targets.current(), { path, own }, regular);
  for (const entry of entries) {
    if (entry.isRegular && isHanded) continue;
    copyEntry(sources, targets, path, entry, copy);
  }
  // Files that are still being made in it would change its times.
  if (isHanded) copy.beside.leave();
  else copyOpenAttributes(sources.current(), targets.current(), own);
}

function copyEntry(
  sources: FolderTrail,
  targets: FolderTrail,
  path: string,
  { name, text, isRegular }: DirectoryEntry,
  copy: Copy,
): void {
  const from = sources.current();
  const to = targets.current();
  const childPath = joinPath(path, text);
  // What the folder says spares the look at it before it is opened.
  if (isRegular && copyListedFile(from, to, name, childPath, copy)) return;
  const status = statIfThere(from, name);
  if (status === undefined) return;
  if (isDirectory(status)) {
    mkdirat(to, name, creationMode(ownerAndMode(status), true));
    sources.within(name, () => targets.within(name, () => copyFolder(sources, targets, childPath, status, copy)));
  } else if (isRegularFile(status)) {
    // A file system that lists no kinds; what is none by now has vanished.
    copyListedFile(from, to, name, childPath, copy);
  } else if (!linkToCopy(to, name, childPath, status, copy)) copyNode(from, to, name, status, copy);
}

/** What is left to do in the folder that was handed on last, once its files are copied. */
function takeHanded(copy: Copy): void {
  copy.beside.take(({ source, target, path, own, hasLeft }) => {
    if (hasLeft) copyLeft(source, target, path, copy);
    copyOpenAttributes(source, target, own);
  });
}

/** Files with several names, and what is none any more. */
function copyLeft(source: number, target: number, path: string, copy: Copy): void {
  lseek(source, 0, SEEK_SET);
  const [sources, targets] = [createFolderTrail(source), createFolderTrail(target)];
  for (const entry of readEntries(source)) {
    if (entry.isRegular && statIfThere(target, entry.name) === undefined)
      copyEntry(sources, targets, path, entry, copy);
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
