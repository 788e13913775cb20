import { ioctlRequest, tryIoctl } from "../ioctl.ts";

/** Source: `linux/fs.h` v6.1; the kernel reads and writes 32 bits, whatever the requests say. */
export const inodeFlagRequests = {
  GETFLAGS: ioctlRequest("read", 0x66, 1, 8),
  SETFLAGS: ioctlRequest("write", 0x66, 2, 8),
  NOCOW: 0x0080_0000,
} as const;

const flags = Buffer.alloc(8);

/**
 * Lets a new, empty file be overwritten in place where the file system else writes anew (btrfs), which takes room even
 * behind its end. The file system keeps no checksums of it then. Elsewhere it does nothing.
 */
export function writeInPlace(descriptor: number): void {
  if (tryIoctl(descriptor, inodeFlagRequests.GETFLAGS, flags) !== 0) return;
  flags.writeUInt32LE((flags.readUInt32LE(0) | inodeFlagRequests.NOCOW) >>> 0, 0);
  tryIoctl(descriptor, inodeFlagRequests.SETFLAGS, flags);
}
