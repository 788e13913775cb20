import type { TarHeader } from "../../tar/index.ts";

/**
 * What an ordinary user can keep of an entry, who can neither give files away nor make devices: everything belongs to
 * root of the archive, which the id maps turn into that user, with at least the permissions an owner needs to copy and
 * remove it; of the attributes stay those that need no privilege. `undefined` for a device.
 */
export function squashHeader(header: TarHeader): TarHeader | undefined {
  const { type, mode, xattrs } = header;
  if (isDevice(header)) return undefined;
  return {
    ...header,
    uid: 0,
    gid: 0,
    mode: mode | (type === "directory" ? 0o700 : 0o600),
    xattrs: xattrs.size === 0 ? xattrs : new Map([...xattrs].filter(([name]) => name.startsWith("user."))),
  };
}

/** Whether making the file takes the host's root. A character device 0/0 is a whiteout. */
export function isDevice({ type, deviceMajor, deviceMinor }: TarHeader): boolean {
  return type === "block-device" || (type === "character-device" && (deviceMajor !== 0 || deviceMinor !== 0));
}
