/** Owner, mode and times. None of these follows a symlink. */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_NOFOLLOW, O_PATH } from "../flags.ts";
import { bindSystemCall, check, cString, emptyPath, type PathBytes } from "../libc.ts";
import { close, openat } from "../open.ts";

const fchownatCall = bindSystemCall("fchownat", "int", "void *", "uint", "uint", "int");
const fchmodCall = bindSystemCall("fchmod", "int", "uint");
const fchmodatCall = bindSystemCall("fchmodat", "int", "void *", "uint");
const utimensatCall = bindSystemCall("utimensat", "int", "void *", "void *", "int");

export function chownat(directory: number, name: PathBytes, uid: number, gid: number): void {
  check(fchownatCall(directory, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW), "fchownat", name);
}

export function fchown(descriptor: number, uid: number, gid: number): void {
  check(fchownatCall(descriptor, emptyPath, uid, gid, AT_EMPTY_PATH), "fchown");
}

export function fchmod(descriptor: number, mode: number): void {
  check(fchmodCall(descriptor, mode), "fchmod");
}

/** As `fchmod`, of what cannot be opened, a device or FIFO; never through a symlink. Needs /proc. */
export function chmodNode(directory: number, name: PathBytes, mode: number): void {
  const node = openat(directory, name, O_PATH | O_NOFOLLOW);
  try {
    check(fchmodatCall(AT_FDCWD, cString(`/proc/self/fd/${node}`), mode), "fchmodat", name);
  } finally {
    close(node);
  }
}

/** Two `struct timespec`, access and modification, of two 64-bit words each, as halves: a `BigInt` is an allocation. */
const times = new Int32Array(8);
const timesBytes = new Uint8Array(times.buffer);

function setTimes(seconds: number, nanoseconds: number): void {
  times[0] = times[4] = seconds;
  times[1] = times[5] = Math.floor(seconds / 2 ** 32);
  times[2] = times[6] = nanoseconds;
}

/** Sets access and modification time to the same moment. */
export function utimensat(directory: number, name: PathBytes, seconds: number, nanoseconds: number): void {
  setTimes(seconds, nanoseconds);
  check(utimensatCall(directory, cString(name), timesBytes, AT_SYMLINK_NOFOLLOW), "utimensat", name);
}

/**
 * As `utimensat`, of an open file. A null name means the descriptor itself on every kernel, as futimens(3) relies on.
 */
export function futimens(descriptor: number, seconds: number, nanoseconds: number): void {
  setTimes(seconds, nanoseconds);
  check(utimensatCall(descriptor, null, timesBytes, 0), "futimens");
}
