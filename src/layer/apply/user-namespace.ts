import type { TarHeader } from "../../tar/index.ts";
import { isDevice } from "./squash.ts";

/**
 * What root of a user namespace can keep of an entry: all but the attributes that only the host's root may set.
 * `undefined` for a device, which is passed over as Docker does when it runs without root; a container has the devices
 * that its runtime gives it.
 *
 * Source: moby v20.10.24 `pkg/archive/archive.go` `createTarFile`; Linux v6.1 `security/commoncap.c`
 * `cap_inode_setxattr`, `fs/xattr.c` `xattr_permission`.
 */
export function keepInUserNamespace(header: TarHeader): TarHeader | undefined {
  if (isDevice(header)) return undefined;
  const { xattrs } = header;
  if (xattrs.size === 0) return header;
  return { ...header, xattrs: new Map([...xattrs].filter(([name]) => !isOfHost(name))) };
}

/** Capabilities are the namespace's own to give: the kernel notes with them whose root gave them. */
function isOfHost(name: string): boolean {
  return name.startsWith("trusted.") || (name.startsWith("security.") && name !== "security.capability");
}
