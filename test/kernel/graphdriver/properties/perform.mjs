/**
 * Does random steps in a folder. Symlinks are never followed, devices and FIFOs never opened; what the kernel refuses
 * does nothing.
 */
import * as fs from "node:fs";

import {
  AT_FDCWD,
  close,
  fremovexattr,
  lsetxattr,
  mknodat,
  openPath,
  RENAME_EXCHANGE,
  renameat2,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  utimensat,
} from "#dist/syscall/index.js";

import { names } from "./steps.mjs";

/** One for a case: every time that it sets is another. */
export function createClock() {
  let ticks = 0;
  return (path) => {
    ticks += 1;
    utimensat(AT_FDCWD, path, 1_500_000_000 + ticks * 3, (ticks * 123_456_789) % 1_000_000_000);
  };
}

export function perform(root, steps, stamp) {
  for (const { kind, ...step } of steps) {
    const tree = listTree(Buffer.from(root));
    const file = tree.files[step.file % tree.files.length];
    const other = tree.files[step.other % tree.files.length];
    if ("file" in step && file === undefined) continue;
    const target =
      "folder" in step ? below(tree.folders[step.folder % tree.folders.length], names[step.name]) : undefined;
    try {
      does[kind]({ ...step, file, other, target }, stamp);
    } catch (error) {
      if (!refusals.has(error.code)) throw error;
    }
  }
}

/** What the kernel answers to steps that make no sense where they meet. */
const refusals = new Set([
  "EEXIST",
  "EINVAL",
  "EISDIR",
  "ENOENT",
  "ENOTDIR",
  "ENOTEMPTY",
  "EPERM",
  "EXDEV",
  "EOPNOTSUPP",
  "ENODATA",
]);

function listTree(root) {
  const folders = [root];
  const files = [];
  for (const folder of folders) {
    const entries = fs.readdirSync(folder, { encoding: "buffer", withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
      const path = below(folder, entry.name);
      files.push(path);
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return { folders, files };
}

function below(folder, name) {
  return Buffer.concat([folder, slash, name]);
}

const slash = Buffer.from("/");

const isFile = (path) => fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
const isThere = (path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
const isSymlink = (path) => fs.lstatSync(path).isSymbolicLink();
const contentOf = (sizeBytes, path) => Buffer.alloc(sizeBytes, path.subarray(-3));

/** New files are made, and files that are there written over; nothing else is opened. */
function write(path, sizeBytes, stamp) {
  if (isThere(path) && !isFile(path)) return;
  fs.writeFileSync(path, contentOf(sizeBytes, path), {
    flag: fs.constants.O_CREAT | fs.constants.O_TRUNC | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW,
  });
  stamp(path);
}

function chmod(path, mode) {
  if (!isSymlink(path)) fs.chmodSync(path, mode);
}

/** As mv(1) does: a folder that cannot be renamed is moved piece by piece. */
function move(from, to) {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (error.code !== "EXDEV") throw error;
    const { mode, uid, gid } = fs.lstatSync(from);
    if (isThere(to)) fs.rmdirSync(to);
    fs.mkdirSync(to);
    for (const name of fs.readdirSync(from, { encoding: "buffer" })) move(below(from, name), below(to, name));
    fs.chownSync(to, uid, gid);
    fs.chmodSync(to, mode & 0o7777);
    fs.rmdirSync(from);
  }
}

const isInside = (path, folder) => below(path, Buffer.alloc(0)).indexOf(below(folder, Buffer.alloc(0))) === 0;

const does = {
  write({ target, sizeBytes, mode }, stamp) {
    write(target, sizeBytes, stamp);
    if (isFile(target)) fs.chmodSync(target, mode);
  },
  makeFolder({ target, mode }) {
    fs.mkdirSync(target);
    fs.chmodSync(target, mode);
  },
  symlink({ target, length }, stamp) {
    fs.symlinkSync(Buffer.alloc(length, "no\xff-where", "latin1"), target);
    stamp(target);
  },
  makeFifo({ target, mode }, stamp) {
    mknodat(AT_FDCWD, target, S_IFIFO | 0o600);
    fs.chmodSync(target, mode);
    stamp(target);
  },
  makeDevice({ target, isBlock, minor }, stamp) {
    mknodat(AT_FDCWD, target, (isBlock ? S_IFBLK : S_IFCHR) | 0o600, isBlock ? 7 : 1, minor);
    stamp(target);
  },
  link: ({ file, target }) => fs.linkSync(file, target),
  rename({ file, target }) {
    if (!isInside(target, file) && !isInside(file, target)) move(file, target);
  },
  exchange: ({ file, other }) => renameat2(AT_FDCWD, file, AT_FDCWD, other, RENAME_EXCHANGE),
  remove: ({ file }) => fs.rmSync(file, { recursive: true }),
  remakeFolder({ file, mode }) {
    fs.rmSync(file, { recursive: true });
    fs.mkdirSync(file);
    fs.chmodSync(file, mode);
  },
  fileForFolder({ file, sizeBytes, mode }, stamp) {
    fs.rmSync(file, { recursive: true });
    write(file, sizeBytes, stamp);
    fs.chmodSync(file, mode);
  },
  overwrite({ file, sizeBytes }, stamp) {
    if (isFile(file)) write(file, sizeBytes, stamp);
  },
  rewrite({ file, byte, isReplaced }) {
    const { mode, uid, gid, size, mtimeNs } = fs.lstatSync(file, { bigint: true });
    const times = [Number(mtimeNs / 1_000_000_000n), Number(mtimeNs % 1_000_000_000n)];
    const content = Buffer.alloc(Number(size), byte || 1);
    if (isFile(file) && !isReplaced) fs.writeFileSync(file, content);
    else if (isFile(file) || isSymlink(file)) {
      const isLink = isSymlink(file);
      fs.rmSync(file);
      if (isLink) fs.symlinkSync(content, file);
      else fs.writeFileSync(file, content);
      fs.lchownSync(file, Number(uid), Number(gid));
      if (!isLink) fs.chmodSync(file, Number(mode) & 0o7777);
    } else return;
    utimensat(AT_FDCWD, file, ...times);
  },
  append({ file, sizeBytes }, stamp) {
    if (!isFile(file)) return;
    fs.appendFileSync(file, contentOf(sizeBytes, file));
    stamp(file);
  },
  truncate({ file, sizeBytes }, stamp) {
    if (!isFile(file)) return;
    fs.truncateSync(file, sizeBytes);
    stamp(file);
  },
  chmod: ({ file, mode }) => chmod(file, mode),
  chmodAndBack({ file }) {
    const { mode } = fs.lstatSync(file);
    chmod(file, 0o711);
    chmod(file, mode & 0o7777);
  },
  chown: ({ file, uid, gid }) => fs.lchownSync(file, uid, gid),
  touch: ({ file }, stamp) => stamp(file),
  setAttribute: ({ file, value }) => lsetxattr(file, "user.note", Buffer.from(value, "hex")),
  setCapability({ file, capability: value }) {
    if (isFile(file)) lsetxattr(file, "security.capability", Buffer.from(value, "hex"));
  },
  dropCapability({ file }) {
    if (!isFile(file)) return;
    const descriptor = openPath(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      fremovexattr(descriptor, "security.capability");
    } finally {
      close(descriptor);
    }
  },
};
