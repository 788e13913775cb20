import { CleatError } from "../../errors/index.ts";
import { showBytes } from "./entry-name.ts";

/**
 * How a folder keeps deletions. `overlay`: a character device 0/0 and the attribute `<prefix>overlay.opaque`, which the
 * kernel's overlay understands (`user.` inside a user namespace). `delete`: not at all; the folder is a whole copy and
 * what a layer deletes is removed from it. `none`: the archive is no layer, and every name means itself.
 *
 * Source: `overlayfs.rst` v6.1; OCI image-spec v1.0 `layer.md`.
 */
export type WhiteoutConvention =
  | { readonly kind: "overlay"; readonly attributePrefix: OverlayPrefix }
  | { readonly kind: "delete" }
  | { readonly kind: "none" };

/**
 * Which extended attributes overlay keeps its books in: the host's, or in a user namespace (`userxattr`) any owner's.
 */
export type OverlayPrefix = "trusted." | "user.";

export const whiteoutPrefix = ".wh.";
const reservedPrefix = ".wh..wh.";
export const opaqueMarker = ".wh..wh..opq";

export type EntryRole =
  | { readonly role: "file" }
  | { readonly role: "opaque" }
  | { readonly role: "whiteout"; readonly hidden: Buffer }
  /** Bookkeeping of aufs (`.wh..wh.plnk`, `.wh..wh.aufs`), no part of the layer. */
  | { readonly role: "reserved" };

const file: EntryRole = { role: "file" };
const dot = 0x2e;

/**
 * The folder at a layer's root, below which aufs keeps its books, that the byte string of a path leads into. Nothing
 * there is part of the layer, but hard links may name files in it. Source: moby v20.10.24 `pkg/archive/diff.go`
 * `UnpackLayer`.
 */
export function reservedFolderOf(path: string): string | undefined {
  return path.startsWith(reservedPrefix) ? path.split("/", 1)[0] : undefined;
}

/**
 * What an entry's last component means.
 * @throws INVALID_ARGUMENT for `.wh.`, `.wh..` and `.wh...`, which would hide the folder itself or its parent.
 */
export function classifyEntry(base: Buffer): EntryRole {
  if (base[0] !== dot) return file;
  const text = base.toString("latin1");
  if (!text.startsWith(whiteoutPrefix)) return file;
  if (text === opaqueMarker) return { role: "opaque" };
  if (text.startsWith(reservedPrefix)) return { role: "reserved" };
  const hidden = text.slice(whiteoutPrefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") {
    throw new CleatError("INVALID_ARGUMENT", `entry ${showBytes(text)} is a whiteout of no name`);
  }
  return { role: "whiteout", hidden: base.subarray(whiteoutPrefix.length) };
}

const yes = 0x79;

/**
 * Overlay's mark of an opaque folder. Since Linux 6.7 there is also "x", which only says that a folder may hold xattr
 * whiteouts.
 */
export function isYes(value: Buffer | undefined): boolean {
  return value?.length === 1 && value[0] === yes;
}
