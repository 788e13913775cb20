/**
 * The oracle: a plain folder on which the same steps are done as on a driver's layer, by code that shares nothing with
 * any driver and takes the slowest and most obvious way. The idea is containerd's (`core/snapshots/testsuite`).
 */
import * as fs from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { AT_FDCWD, lsetxattr, mknodat, S_IFBLK, S_IFCHR, S_IFIFO, utimensat } from "../../syscall/index.ts";
import type { ArchiveEntry } from "../archive/entry.ts";
import { createTreeWriter, type TreeWriter } from "./tree-writer.ts";
import { readTree } from "./read-tree.ts";
import { type Tree, withoutFolderTimes } from "./tree.ts";

export interface Replay {
  /** Unpacks a layer on top of what is there. Names must be plain: no `..`, no symlink on the way. */
  apply(entries: readonly ArchiveEntry[]): void;
  /** Does what a container does. */
  write(steps: (writer: TreeWriter) => void): void;
  /** What a layer with the same history must show. Times of folders are there only where the last archive set them. */
  tree(): Tree;
}

/** `path` is an empty folder. */
export function createReplay(path: string): Replay {
  let timed = new Set<string>();
  const at = (name: Buffer): Buffer => Buffer.concat([Buffer.from(`${path}/`), name]);

  return {
    apply(entries) {
      // Whiteouts speak of the layers below only, so they come first wherever they stand in the archive.
      for (const { header } of entries) hide(header, at(header.name));
      const made = entries.filter(({ header }) => !isWhiteout(header));
      for (const entry of entries) {
        const { header } = entry;
        if (isWhiteout(header) && !isOpaque(header.name)) continue;
        makeFolders(path, folderOf(header.name));
        if (!isOpaque(header.name)) make(entry, at);
      }
      const folders = made.filter(({ header }) => isFolder(withoutSlash(at(header.name))));
      for (const { header } of folders) setTime(at(header.name), header);
      timed = new Set(folders.map(({ header }) => header.name.toString("latin1").replace(/\/$/, "")));
    },
    write(steps) {
      steps(createTreeWriter(path));
      timed.clear();
    },
    tree: () => withoutFolderTimes(readTree(path), timed),
  };
}

const prefix = ".wh.";

function baseOf(name: Buffer): string {
  return name.toString("latin1").replace(/\/$/, "").split("/").pop() ?? "";
}

/** Overlay's own form, which archives may hold. */
function isDeviceZero({ type, deviceMajor, deviceMinor }: ArchiveEntry["header"]): boolean {
  return type === "character-device" && deviceMajor === 0 && deviceMinor === 0;
}

function isWhiteout(header: ArchiveEntry["header"]): boolean {
  return baseOf(header.name).startsWith(prefix) || isDeviceZero(header);
}

function isOpaque(name: Buffer): boolean {
  return baseOf(name) === ".wh..wh..opq";
}

/** The names of the folders that an entry lies in. */
function folderOf(name: Buffer): string[] {
  return name
    .toString("latin1")
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .slice(0, -1);
}

function hide(header: ArchiveEntry["header"], path: Buffer): void {
  if (!isWhiteout(header)) return;
  const base = baseOf(path);
  const folder = path.subarray(0, path.length - base.length);
  if (!isFolder(withoutSlash(folder))) return;
  const hidden = isDeviceZero(header) ? base : base.slice(prefix.length);
  const names = isOpaque(path) ? fs.readdirSync(folder, { encoding: "buffer" }) : [Buffer.from(hidden, "latin1")];
  for (const name of names) fs.rmSync(Buffer.concat([folder, name]), { recursive: true, force: true });
}

/** Folders that no entry announces; a file of the layers below gives way. */
function makeFolders(root: string, names: readonly string[]): void {
  let path = Buffer.from(root);
  for (const name of names) {
    path = Buffer.concat([path, Buffer.from(`/${name}`, "latin1")]);
    const there = fs.lstatSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory() === true || there?.isSymbolicLink() === true) continue;
    fs.rmSync(path, { force: true });
    fs.mkdirSync(path);
    fs.chmodSync(path, 0o755);
  }
}

function make({ header, content }: ArchiveEntry, at: (name: Buffer) => Buffer): void {
  const path = at(header.name);
  const { type } = header;
  const there = fs.lstatSync(withoutSlash(path), { throwIfNoEntry: false });
  if (there !== undefined && !(type === "directory" && there.isDirectory())) {
    fs.rmSync(withoutSlash(path), { recursive: true });
  }
  if (type === "hardlink") return fs.linkSync(at(header.linkName), path);
  if (type === "file") fs.writeFileSync(path, content);
  else if (type === "directory") fs.mkdirSync(path, { recursive: true });
  else if (type === "symlink") fs.symlinkSync(header.linkName, path);
  else {
    const kind = { fifo: S_IFIFO, "character-device": S_IFCHR, "block-device": S_IFBLK }[type];
    mknodat(AT_FDCWD, path, kind | 0o600, header.deviceMajor, header.deviceMinor);
  }
  fs.lchownSync(path, header.uid, header.gid);
  if (type !== "symlink") fs.chmodSync(path, header.mode & 0o7777);
  for (const [name, value] of header.xattrs) lsetxattr(path, name, value);
  return setTime(path, header);
}

function setTime(path: Buffer, { mtimeSeconds, mtimeNanoseconds }: ArchiveEntry["header"]): void {
  utimensat(AT_FDCWD, path, mtimeSeconds, mtimeNanoseconds);
}

/** A symlink is met itself only without the slash at the end. */
function withoutSlash(path: Buffer): Buffer {
  return path.at(-1) === 0x2f ? path.subarray(0, -1) : path;
}

/** False also for what the archive itself replaced, or what lay in it. */
function isFolder(path: Buffer): boolean {
  try {
    return fs.lstatSync(path).isDirectory();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
