/** Making, linking, renaming and removing names, each relative to the descriptor of the folder that holds it. */
import { SystemError } from "../../errors/index.ts";
import { AT_REMOVEDIR } from "../flags.ts";
import { bindSystemCall, check, cString, errnos, type PathBytes } from "../libc.ts";

const mkdiratCall = bindSystemCall("mkdirat", "int", "void *", "uint");
const mknodatCall = bindSystemCall("mknodat", "int", "void *", "uint", "uint");
const linkatCall = bindSystemCall("linkat", "int", "void *", "int", "void *", "int");
const symlinkatCall = bindSystemCall("symlinkat", "void *", "int", "void *");
const readlinkatCall = bindSystemCall("readlinkat", "int", "void *", "void *", "long");
const renameat2Call = bindSystemCall("renameat2", "int", "void *", "int", "void *", "uint");
const unlinkatCall = bindSystemCall("unlinkat", "int", "void *", "int");

export function mkdirat(directory: number, name: PathBytes, mode: number): void {
  check(mkdiratCall(directory, cString(name), mode), "mkdirat", name);
}

/** Makes a device, FIFO or empty file; `mode` carries the type, `major` and `minor` are 0 but for devices. */
export function mknodat(directory: number, name: PathBytes, mode: number, major = 0, minor = 0): void {
  check(mknodatCall(directory, cString(name), mode, encodeDevice(major, minor)), "mknodat", name);
}

/**
 * The kernel's 32-bit device number. Callers have checked the ranges: 12 bits of major, 20 of minor.
 * Source: `new_encode_dev`, Linux v6.1 `include/linux/kdev_t.h`.
 */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Adds a name to a file; `flags` 0 links a symlink itself, never what it points to. */
export function linkat(fromDirectory: number, from: PathBytes, toDirectory: number, to: PathBytes, flags = 0): void {
  check(linkatCall(fromDirectory, cString(from), toDirectory, cString(to, 1), flags), "linkat", to);
}

export function symlinkat(target: PathBytes, directory: number, name: PathBytes): void {
  check(symlinkatCall(cString(target), directory, cString(name, 1)), "symlinkat", name);
}

const linkTarget = Buffer.alloc(4096);

export function readlinkat(directory: number, name: PathBytes): Buffer {
  const length = check(readlinkatCall(directory, cString(name), linkTarget, linkTarget.length), "readlinkat", name);
  if (length === linkTarget.length) throw new SystemError(errnos.ENAMETOOLONG, "readlinkat", name);
  return Buffer.from(linkTarget.subarray(0, length));
}

export function renameat2(fromDirectory: number, from: PathBytes, toDirectory: number, to: PathBytes, flags = 0): void {
  check(renameat2Call(fromDirectory, cString(from), toDirectory, cString(to, 1), flags), "renameat2", from);
}

export function unlinkat(directory: number, name: PathBytes): void {
  check(unlinkatCall(directory, cString(name), 0), "unlinkat", name);
}

export function rmdirat(directory: number, name: PathBytes): void {
  check(unlinkatCall(directory, cString(name), AT_REMOVEDIR), "rmdirat", name);
}

/** As `rmdirat`, without an exception: whether it succeeded; errno in `lastErrno`. */
export function tryRmdirat(directory: number, name: PathBytes): boolean {
  return unlinkatCall(directory, cString(name), AT_REMOVEDIR) === 0;
}

/** As `unlinkat`, without an exception: whether it succeeded; errno in `lastErrno`. */
export function tryUnlinkat(directory: number, name: PathBytes): boolean {
  return unlinkatCall(directory, cString(name), 0) === 0;
}
