import { ampleBelow, waitForDescriptors } from "./descriptors.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_PATH, O_RDONLY } from "./flags.ts";
import { bindSystemCall, check, cString, errnos, lastErrno, type PathBytes } from "./libc.ts";

const closeCall = bindSystemCall("close", "int");
const openatCall = bindSystemCall("openat", "int", "void *", "int", "uint");
const openat2Call = bindSystemCall("openat2", "int", "void *", "void *", "long");

/**
 * Opens `name` relative to a folder's descriptor; the descriptor is the caller's to close and is not inherited. Where
 * descriptors are running out, a worker waits for other jobs to give theirs back.
 */
export function openat(directory: number, name: PathBytes, flags: number, mode = 0): number {
  const opened = openatCall(directory, cString(name), flags | O_CLOEXEC, mode);
  if (opened >= 0 && opened < ampleBelow) return opened;
  const openAgain = (): number => openatCall(directory, cString(name), flags | O_CLOEXEC, mode);
  return check(openPatiently(opened, openAgain, (flags & O_CREAT) === 0), "openat", name);
}

/**
 * What a first try came to, or a later one: a descriptor, or −1. A file that was made is not there to be made again.
 */
function openPatiently(first: number, openAgain: () => number, isRepeatable: boolean): number {
  let opened = first;
  const isShort = (): boolean => (opened < 0 ? isOutOfDescriptors() : opened >= ampleBelow && isRepeatable);
  if (!isShort()) return opened;
  const isThere = (): boolean => {
    if (opened >= 0) closeCall(opened);
    opened = openAgain();
    return !isShort();
  };
  waitForDescriptors(isThere);
  return opened;
}

function isOutOfDescriptors(): boolean {
  const errno = lastErrno();
  return errno === errnos.EMFILE || errno === errnos.ENFILE;
}

/** Whether descriptors are left over, not only the last ones. */
export function hasDescriptorsToSpare(): boolean {
  const opened = openatCall(AT_FDCWD, cString("/"), O_PATH | O_CLOEXEC, 0);
  if (opened >= 0) closeCall(opened);
  return opened >= 0 && opened < ampleBelow;
}

/** As `openat`, without an exception for the failure that the caller expects: returns −1, errno in `lastErrno`. */
export function tryOpenat(directory: number, name: PathBytes, flags: number, mode = 0): number {
  const openOnce = (): number => openatCall(directory, cString(name), flags | O_CLOEXEC, mode);
  return openPatiently(openOnce(), openOnce, (flags & O_CREAT) === 0);
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
  const openOnce = (): number => openat2Call(directory, cString(path), openHowBytes, openHowBytes.length);
  return check(openPatiently(openOnce(), openOnce, (flags & O_CREAT) === 0), "openat2", path);
}

/** Opens an absolute path, following symlinks: for the operator's paths, never for names out of a layer. */
export function openPath(path: PathBytes, flags: number, mode = 0): number {
  return openat(AT_FDCWD, path, flags, mode);
}

/** Opens the folder at an absolute path of the host for as long as `visit` runs. */
export function withFolderAt<T>(path: string, visit: (descriptor: number) => T): T {
  return withDescriptor(openPath(path, O_RDONLY | O_DIRECTORY), visit);
}

/** Closes it when `visit` has ended. */
export function withDescriptor<T>(descriptor: number, visit: (descriptor: number) => T): T {
  try {
    return visit(descriptor);
  } finally {
    close(descriptor);
  }
}

export function close(descriptor: number): void {
  check(closeCall(descriptor), "close");
}
