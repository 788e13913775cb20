import { CleatError } from "../errors/index.ts";
import { chownat, fchmod, fchown, fsetxattr, futimens, lsetxattr, procPath, utimensat } from "../syscall/index.ts";
import type { TarHeader } from "../tar/index.ts";
import type { IdMaps } from "./id-map.ts";

const permissionBits = 0o7777;

/**
 * Attributes by which overlay keeps its own books. A layer from outside that could set them would redirect a folder to
 * another path or make a file's content come from elsewhere, so they never reach the disk.
 */
const ownedByOverlay = /^(?:trusted|user)\.overlay\./;

/** What an entry asks for, translated to this host. */
export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export function attributesOf(header: TarHeader, ids: IdMaps): Attributes {
  const { uid, gid, mode } = header;
  return {
    uid: ids.uids.toHost(checkId(uid, "uid")),
    gid: ids.gids.toHost(checkId(gid, "gid")),
    mode: mode & permissionBits,
  };
}

/** The highest id; 2³² − 1 means "leave it" to chown(2), so that an archive could smuggle a file past its owner. */
const maxId = 2 ** 32 - 2;

function checkId(id: number, kind: string): number {
  if (Number.isInteger(id) && id >= 0 && id <= maxId) return id;
  throw new CleatError("INVALID_ARGUMENT", `${kind} ${id} is not from 0 to ${maxId}`);
}

/**
 * Gives an open file what its entry asks for, in the only order that works: the owner first, because changing it clears
 * setuid bits and capabilities; the times last, because all else may touch them.
 */
export function setAttributes(descriptor: number, header: TarHeader, wanted: Attributes, made: Attributes): void {
  const { uid, gid, mode } = wanted;
  const newOwner = uid !== made.uid || gid !== made.gid;
  if (newOwner) fchown(descriptor, uid, gid);
  if (mode !== made.mode || (newOwner && (mode & 0o6000) !== 0)) fchmod(descriptor, mode);
  for (const [name, value] of header.xattrs) {
    if (!ownedByOverlay.test(name)) fsetxattr(descriptor, name, value);
  }
  futimens(descriptor, header.mtimeSeconds, header.mtimeNanoseconds);
}

/** As `setAttributes`, for what cannot be opened (symlinks, devices, FIFOs): by name in its open folder; the mode is set. */
export function setAttributesByName(folder: number, base: Buffer, header: TarHeader, wanted: Attributes): void {
  chownat(folder, base, wanted.uid, wanted.gid);
  for (const [name, value] of header.xattrs) {
    if (!ownedByOverlay.test(name)) lsetxattr(procPath(folder, base), name, value);
  }
  utimensat(folder, base, header.mtimeSeconds, header.mtimeNanoseconds);
}
