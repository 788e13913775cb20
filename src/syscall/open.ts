import { AT_FDCWD, O_CLOEXEC } from "./flags.ts";
import { bindSystemCall, check, cString, type PathBytes } from "./libc.ts";

const closeCall = bindSystemCall("close", "int");
const openatCall = bindSystemCall("openat", "int", "void *", "int", "uint");
const openat2Call = bindSystemCall("openat2", "int", "void *", "void *", "long");

/** Opens `name` relative to a folder's descriptor; the descriptor is the caller's to close and is not inherited. */
export function openat(directory: number, name: PathBytes, flags: number, mode = 0): number {
  return check(openatCall(directory, cString(name), flags | O_CLOEXEC, mode), "openat", name);
}

/** As `openat`, without an exception for the failure that the caller expects: returns −1, errno in `lastErrno`. */
export function tryOpenat(directory: number, name: PathBytes, flags: number, mode = 0): number {
  return openatCall(directory, cString(name), flags | O_CLOEXEC, mode);
}

/** `struct open_how`: three 64-bit words. Source: openat2(2). */
const openHow = new BigUint64Array(3);
const openHowBytes = new Uint8Array(openHow.buffer);

/**
 * Opens `path` below `directory`, resolved as `resolve` says (`RESOLVE_IN_ROOT`: absolute names, `..` and symlinks stay
 * below). Linux 5.6 and later.
 */
export function openat2(directory: number, path: PathBytes, flags: number, resolve: number): number {
  openHow[0] = BigInt(flags | O_CLOEXEC);
  openHow[1] = 0n;
  openHow[2] = BigInt(resolve);
  return check(openat2Call(directory, cString(path), openHowBytes, openHowBytes.length), "openat2", path);
}

/** Opens an absolute path, following symlinks: for the operator's paths, never for names out of a layer. */
export function openPath(path: PathBytes, flags: number, mode = 0): number {
  return openat(AT_FDCWD, path, flags, mode);
}

export function close(descriptor: number): void {
  check(closeCall(descriptor), "close");
}
