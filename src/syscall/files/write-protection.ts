import { tryIoctl } from "../ioctl.ts";
import { fileAttributeRequests, fileAttributes } from "../quotas/project-requests.ts";

const attributes = Buffer.alloc(fileAttributes.sizeBytes);

/**
 * Takes from an open file or folder the marks "immutable" and "append only" (chattr(1)), which keep root, too, from
 * removing it or what lies in it. Whether it had one, and it is gone: that takes CAP_LINUX_IMMUTABLE.
 */
export function dropWriteProtection(descriptor: number): boolean {
  if (tryIoctl(descriptor, fileAttributeRequests.FSGETXATTR, attributes) !== 0) return false;
  const flags = attributes.readUInt32LE(fileAttributes.flagsAt);
  const others = (flags & ~(fileAttributes.IMMUTABLE | fileAttributes.APPEND)) >>> 0;
  if (others === flags) return false;
  attributes.writeUInt32LE(others, fileAttributes.flagsAt);
  return tryIoctl(descriptor, fileAttributeRequests.FSSETXATTR, attributes) === 0;
}
