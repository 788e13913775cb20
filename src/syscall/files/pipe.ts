import { tryIoctl } from "../ioctl.ts";
import { bindSystemCall, check } from "../libc.ts";

const fcntlCall = bindSystemCall("fcntl", "int", "int", "long");

/** Source: `include/uapi/linux/fcntl.h` v6.1. */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
/** Source: `asm-generic/ioctls.h` v6.1, which x86-64 and arm64 share. */
const FIONREAD = 0x541b;

/**
 * Asks that a pipe hold so much (pipe(7)); returns what it holds now.
 * @throws EPERM for more than `/proc/sys/fs/pipe-max-size`, or than the user may have in all, where that is not root.
 */
export function resizePipe(descriptor: number, sizeBytes: number): number {
  return check(fcntlCall(descriptor, F_SETPIPE_SZ, sizeBytes), "fcntl F_SETPIPE_SZ");
}

/** How much of a pipe is taken, from 0 to 1: by the bytes that nobody has read yet. */
export function pipeFill(descriptor: number): number {
  const unread = Buffer.alloc(4);
  check(tryIoctl(descriptor, FIONREAD, unread), "ioctl FIONREAD");
  return unread.readInt32LE() / check(fcntlCall(descriptor, F_GETPIPE_SZ, 0), "fcntl F_GETPIPE_SZ");
}
