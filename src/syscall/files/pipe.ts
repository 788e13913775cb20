import { bindSystemCall, check } from "../libc.ts";

const fcntlCall = bindSystemCall("fcntl", "int", "int", "long");

/** Source: `include/uapi/linux/fcntl.h` v6.1. */
const F_SETPIPE_SZ = 1031;

/**
 * Asks that a pipe hold so much (pipe(7)); returns what it holds now.
 * @throws EPERM for more than `/proc/sys/fs/pipe-max-size`, or than the user may have in all, where that is not root.
 */
export function resizePipe(descriptor: number, sizeBytes: number): number {
  return check(fcntlCall(descriptor, F_SETPIPE_SZ, sizeBytes), "fcntl F_SETPIPE_SZ");
}
