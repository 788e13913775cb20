import { fchmod, fchown } from "../../syscall/index.ts";

export interface OwnerAndMode {
  readonly uid: number;
  readonly gid: number;
  /** The permission bits, `0o7777`. */
  readonly mode: number;
}

/** What files are made with, but for the group where their folder gives one. */
export const processUid = process.geteuid?.() ?? 0;
export const processGid = process.getegid?.() ?? 0;

/**
 * The mode to make a file or folder with, of which `setOwnerAndMode` leaves as little as can be: what someone else owns
 * stays closed until it has its owner, and a folder's maker has to get in whatever its mode.
 */
export function creationMode({ uid, gid, mode }: OwnerAndMode, isFolder: boolean): number {
  const isOurs = uid === processUid && gid === processGid;
  if (isFolder) return isOurs && (mode & 0o700) === 0o700 ? mode & 0o1777 : 0o700;
  return isOurs ? mode & 0o1777 : 0o600;
}

/**
 * Gives an open file the owner and mode that it has not `made` already, in the only order that works: to change the
 * owner clears setuid bits and capabilities.
 */
export function setOwnerAndMode(descriptor: number, { uid, gid, mode }: OwnerAndMode, made: OwnerAndMode): void {
  const isNewOwner = uid !== made.uid || gid !== made.gid;
  if (isNewOwner) fchown(descriptor, uid, gid);
  if (mode !== made.mode || (isNewOwner && (mode & 0o6000) !== 0)) fchmod(descriptor, mode);
}
