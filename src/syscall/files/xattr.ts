/**
 * Extended attributes, values as bytes, names as bytes kept in latin1. `f…` takes an open file; `l…` takes a path and
 * does not follow a symlink at its end: the only way to reach the attributes of a symlink or device, which cannot be
 * opened.
 */
import { readlinkSync } from "node:fs";
import { CleatError, SystemError } from "../../errors/index.ts";
import { bindSystemCall, check, cString, errnos, lastErrno, type PathBytes } from "../libc.ts";

const fsetxattrCall = bindSystemCall("fsetxattr", "int", "void *", "void *", "long", "int");
const fgetxattrCall = bindSystemCall("fgetxattr", "int", "void *", "void *", "long");
const flistxattrCall = bindSystemCall("flistxattr", "int", "void *", "long");
const lsetxattrCall = bindSystemCall("lsetxattr", "void *", "void *", "void *", "long", "int");
const lgetxattrCall = bindSystemCall("lgetxattr", "void *", "void *", "void *", "long");
const llistxattrCall = bindSystemCall("llistxattr", "void *", "void *", "long");
const fremovexattrCall = bindSystemCall("fremovexattr", "int", "void *");
const lremovexattrCall = bindSystemCall("lremovexattr", "void *", "void *");

/** The kernel's limit on a value and on the list of names. Source: `XATTR_SIZE_MAX`, `linux/limits.h` v6.1. */
const buffer = Buffer.alloc(64 * 1024);

/**
 * What nearly all values, and lists of names, fit. The kernel clears as much memory as it is offered, whatever the
 * value, which costs more than all else of the call. Source: Linux v6.1 `fs/xattr.c` `do_getxattr`.
 */
const usualBytes = 256;

export function fsetxattr(descriptor: number, name: string, value: Uint8Array): void {
  check(fsetxattrCall(descriptor, attribute(name), value, value.length, 0), `fsetxattr ${name}`);
}

export function lsetxattr(path: PathBytes, name: string, value: Uint8Array): void {
  check(lsetxattrCall(cString(path), attribute(name), value, value.length, 0), `lsetxattr ${name}`, path);
}

export function fremovexattr(descriptor: number, name: string): void {
  check(fremovexattrCall(descriptor, attribute(name)), `fremovexattr ${name}`);
}

/** As `fremovexattr`, by path. */
export function lremovexattr(path: PathBytes, name: string): void {
  check(lremovexattrCall(cString(path), attribute(name)), `lremovexattr ${name}`, path);
}

/** `undefined` where the file has no such attribute, or its file system none at all. */
export function fgetxattr(descriptor: number, name: string): Buffer | undefined {
  const asked = attribute(name);
  const length = fgetxattrCall(descriptor, asked, buffer, usualBytes);
  return copyValue(isTooLong(length) ? fgetxattrCall(descriptor, asked, buffer, buffer.length) : length, name);
}

/** As `fgetxattr`, by path. */
export function lgetxattr(path: PathBytes, name: string): Buffer | undefined {
  const [place, asked] = [cString(path), attribute(name)];
  const length = lgetxattrCall(place, asked, buffer, usualBytes);
  return copyValue(isTooLong(length) ? lgetxattrCall(place, asked, buffer, buffer.length) : length, name, path);
}

/** @throws OUT_OF_RANGE when the file has more than the kernel lists, as xfs and btrfs let it have. */
export function flistxattr(descriptor: number): string[] {
  const length = flistxattrCall(descriptor, buffer, usualBytes);
  const listed = isTooLong(length) ? flistxattrCall(descriptor, buffer, buffer.length) : length;
  return splitNames(listed, `/proc/self/fd/${descriptor}`);
}

/** As `flistxattr`, by path. */
export function llistxattr(path: PathBytes): string[] {
  const place = cString(path);
  const length = llistxattrCall(place, buffer, usualBytes);
  return splitNames(isTooLong(length) ? llistxattrCall(place, buffer, buffer.length) : length, path);
}

/** The path by which `l…` calls reach `name` in an open folder, without resolving anything else of its path again. */
export function procPath(directory: number, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

/** One file after the other is asked for the same attribute. */
let lastAttribute = { name: "", bytes: Buffer.alloc(0) };

function attribute(name: string): Uint8Array {
  if (lastAttribute.name !== name) lastAttribute = { name, bytes: Buffer.from(name, "latin1") };
  return cString(lastAttribute.bytes, 1);
}

function isTooLong(length: number): boolean {
  return length < 0 && lastErrno() === errnos.ERANGE;
}

function copyValue(length: number, name: string, path?: PathBytes): Buffer | undefined {
  if (length >= 0) return Buffer.from(buffer.subarray(0, length));
  const errno = lastErrno();
  if (errno === errnos.ENODATA || errno === errnos.EOPNOTSUPP) return undefined;
  throw new SystemError(errno, `getxattr ${name}`, path);
}

function splitNames(length: number, path: PathBytes): string[] {
  if (length < 0) {
    const errno = lastErrno();
    if (errno === errnos.EOPNOTSUPP) return [];
    const shown = withoutDescriptor(path);
    if (errno !== errnos.E2BIG) throw new SystemError(errno, "listxattr", shown);
    const message = "has extended attributes whose names take more than the 64 KiB that Linux lists";
    throw new CleatError("OUT_OF_RANGE", `file ${JSON.stringify(shown)} ${message}`);
  }
  return length === 0 ? [] : buffer.toString("latin1", 0, length - 1).split("\0");
}

/** What a descriptor's path in /proc stands for, for who reads a message. */
function withoutDescriptor(path: PathBytes): string {
  const text = Buffer.from(path).toString();
  const [, link = "", rest = ""] = /^(\/proc\/self\/fd\/\d+)(.*)$/s.exec(text) ?? [];
  try {
    return link === "" ? text : `${readlinkSync(link)}${rest}`;
  } catch {
    return text;
  }
}
