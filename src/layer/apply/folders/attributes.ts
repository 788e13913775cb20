import { CleatError } from "../../../errors/index.ts";
import {
  chmodNode,
  chownat,
  type FileStatus,
  fsetxattr,
  futimens,
  lsetxattr,
  procPath,
  S_IFLNK,
  S_IFMT,
  utimensat,
} from "../../../syscall/index.ts";
import type { TarHeader } from "../../../tar/index.ts";
import { type IdMaps, maxId } from "../../entry/id-map.ts";
import { type OwnerAndMode, setOwnerAndMode } from "../../copy/owner-and-mode.ts";
import { dropInheritedAt } from "../../copy/inherited-access.ts";
import { cannotBeHeld } from "./held-attributes.ts";
import type { OpenFolder } from "./folder-cache.ts";

const permissionBits = 0o7777;

/**
 * Attributes by which overlay, of the kernel and in user space, keeps its own books. A layer from outside that could
 * set them would redirect a folder to another path or make a file's content come from elsewhere, so of a layer they
 * never reach the disk. Source of the last two: fuse-overlayfs 1.10 `main.c`, `utils.h`.
 */
const ownedByOverlay = /^(?:(?:trusted|user)\.overlay|(?:user|security)\.fuseoverlayfs)\./;

/** What of a header is set on a file beside owner and mode, which are translated first. */
export type HeaderAttributes = Pick<TarHeader, "type" | "mtimeSeconds" | "mtimeNanoseconds" | "xattrs">;

/** Is told of each extended attribute that cannot be kept here and is passed over. */
export type LeaveOut = (name: string) => void;

/** Which extended attributes reach the disk. */
export interface AttributeRules {
  /** Without it, what cannot be kept is an error. */
  readonly leaveOut?: LeaveOut | undefined;
  /** Overlay's own do, too: of a tree that is no layer, and holds what is one to somebody. */
  readonly keepsOverlays: boolean;
}

/** What an entry asks for, translated to this host. */
export type Attributes = OwnerAndMode;

export function attributesOf(header: TarHeader, ids: IdMaps): Attributes {
  const { uid, gid, mode } = header;
  return {
    uid: ids.uids.toHost(checkId(uid, "uid")),
    gid: ids.gids.toHost(checkId(gid, "gid")),
    mode: mode & permissionBits,
  };
}

function checkId(id: number, kind: string): number {
  if (Number.isInteger(id) && id >= 0 && id <= maxId) return id;
  throw new CleatError("INVALID_ARGUMENT", `${kind} ${id} is not from 0 to ${maxId}`);
}

/**
 * Gives an open file what its entry asks for, in the only order that works: the owner first, because changing it clears
 * setuid bits and capabilities; the times last, because all else may touch them.
 */
export function setAttributes(
  descriptor: number,
  header: HeaderAttributes,
  wanted: Attributes,
  made: Attributes,
  rules: AttributeRules,
): void {
  setOwnerAndMode(descriptor, wanted, made);
  setXattrs(header, descriptor, rules, (name, value) => fsetxattr(descriptor, name, value));
  futimens(descriptor, header.mtimeSeconds, header.mtimeNanoseconds);
}

/** As `setAttributes`, for what cannot be opened (symlinks, devices, FIFOs): by name in its open folder. */
export function setAttributesByName(
  { descriptor: folder, givesAcl }: Pick<OpenFolder, "descriptor" | "givesAcl">,
  base: Buffer,
  header: HeaderAttributes,
  wanted: Attributes,
  rules: AttributeRules,
): void {
  chownat(folder, base, wanted.uid, wanted.gid);
  if (header.type !== "symlink") {
    if (givesAcl) dropInheritedAt(folder, base);
    // A device or FIFO was made with its mode, of which the new owner has cost it two bits.
    if (givesAcl || (wanted.mode & 0o6000) !== 0) chmodNode(folder, base, wanted.mode);
  }
  setXattrs(header, folder, rules, (name, value) => lsetxattr(procPath(folder, base), name, value));
  utimensat(folder, base, header.mtimeSeconds, header.mtimeNanoseconds);
}

/**
 * Gives a file that `has` attributes already those of a further entry for it, by name in its open folder. What it has
 * beyond them stays, but for what a new owner costs.
 */
export function changeAttributesByName(
  folder: number,
  base: Buffer,
  header: HeaderAttributes,
  wanted: Attributes,
  has: FileStatus,
  rules: AttributeRules,
): void {
  const isNewOwner = has.uid !== wanted.uid || has.gid !== wanted.gid;
  const isSymlink = (has.mode & S_IFMT) === S_IFLNK;
  if (isNewOwner) chownat(folder, base, wanted.uid, wanted.gid);
  // As in `setOwnerAndMode`, of what there is.
  const needsMode = wanted.mode !== (has.mode & permissionBits) || (isNewOwner && (wanted.mode & 0o6000) !== 0);
  if (needsMode && !isSymlink) chmodNode(folder, base, wanted.mode);
  setXattrs(header, folder, rules, (name, value) => lsetxattr(procPath(folder, base), name, value));
  const { mtimeSeconds, mtimeNanoseconds } = header;
  if (has.mtimeSeconds !== mtimeSeconds || has.mtimeNanoseconds !== mtimeNanoseconds)
    utimensat(folder, base, mtimeSeconds, mtimeNanoseconds);
}

/** Sets what an archive may set. `descriptor` is open on the file system. */
function setXattrs(
  { xattrs }: HeaderAttributes,
  descriptor: number,
  { leaveOut, keepsOverlays }: AttributeRules,
  set: (name: string, value: Buffer) => void,
): void {
  for (const [name, value] of xattrs) {
    if (!keepsOverlays && ownedByOverlay.test(name)) continue;
    try {
      set(name, value);
    } catch (error) {
      if (leaveOut === undefined || !cannotBeHeld(error, name, descriptor)) throw error;
      leaveOut(name);
    }
  }
}
