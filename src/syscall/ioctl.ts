import { bindSystemCall, check, type PathBytes } from "./libc.ts";

const ioctlCall = bindSystemCall("ioctl", "int", "long", "void *");

/** Which way the argument of a request goes, as the process sees it. */
export type IoctlDirection = "none" | "write" | "read" | "both";

/** Source: `_IOC_NONE`, `_IOC_WRITE`, `_IOC_READ`, `asm-generic/ioctl.h` v6.1, which x86-64 and arm64 share. */
const directionBits: Readonly<Record<IoctlDirection, number>> = { none: 0, write: 1, read: 2, both: 3 };

/**
 * What `_IO`, `_IOW`, `_IOR` and `_IOWR` of C make: the direction, the size of the argument, whose request it is, and
 * which.
 */
export function ioctlRequest(direction: IoctlDirection, type: number, number: number, sizeBytes: number): number {
  return directionBits[direction] * 2 ** 30 + sizeBytes * 2 ** 16 + type * 2 ** 8 + number;
}

/**
 * Asks an open file's driver or file system; `argument` is read or filled in as the request says. `name` and `path` are
 * for messages.
 */
export function ioctl(
  descriptor: number,
  request: number,
  argument: Uint8Array | null,
  name: string,
  path?: PathBytes,
): number {
  return check(ioctlCall(descriptor, request, argument), `ioctl ${name}`, path);
}

/** As `ioctl`, without an exception for the failure that the caller expects: returns −1, errno in `lastErrno`. */
export function tryIoctl(descriptor: number, request: number, argument: Uint8Array | null): number {
  return ioctlCall(descriptor, request, argument);
}
