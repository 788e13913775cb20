import { CleatError, quoteBytes } from "../../errors/index.ts";

/**
 * Where an archive entry goes: the folder that holds it, as a clean relative path, and its last component. Paths inside
 * the layer code are **byte strings**: one character per byte (latin1), so that names which are not UTF-8 survive and a
 * `Map` can have them for keys.
 */
export interface EntryName {
  /** Without leading, doubled or trailing slashes; "" is the layer's root. */
  readonly folder: string;
  readonly base: Buffer;
}

const needsCleaning = /(?:^|\/)(?:\.{1,2})?(?:\/|$)/;

/**
 * Cleans a name the way Docker's archiver does (`filepath.Clean` below the root).
 * @returns undefined for the root itself, whose attributes a layer cannot set.
 * @throws INVALID_ARGUMENT when the name climbs out of the layer, is empty or holds a NUL.
 */
export function parseEntryName(name: Buffer): EntryName | undefined {
  const end = name[name.length - 1] === slash ? name.length - 1 : name.length;
  const text = name.toString("latin1", 0, end);
  if (name.length === 0) throw new CleatError("INVALID_ARGUMENT", "entry has an empty name");
  if (text.includes("\0")) throw new CleatError("INVALID_ARGUMENT", `entry ${showBytes(text)} has a NUL in its name`);
  if (end > maxPathBytes) {
    throw new CleatError("INVALID_ARGUMENT", `entry ${showBytes(text)} has a name of more than ${maxPathBytes} bytes`);
  }
  if (!needsCleaning.test(text)) {
    const at = text.lastIndexOf("/");
    return { folder: at < 0 ? "" : text.slice(0, at), base: name.subarray(at + 1, end) };
  }
  const parts = cleanComponents(text);
  const base = parts.pop();
  return base === undefined ? undefined : { folder: parts.join("/"), base: Buffer.from(base, "latin1") };
}

const slash = 0x2f;

function cleanComponents(text: string): string[] {
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined && !text.startsWith("/")) {
      throw new CleatError("INVALID_ARGUMENT", `entry ${showBytes(text)} climbs out of the layer`);
    }
  }
  return parts;
}

/** Longer paths the kernel does not take. Source: `PATH_MAX`, `linux/limits.h` v6.1. */
const maxPathBytes = 4095;

/**
 * Joins a folder's byte string and a last component into the byte string of a path.
 * @throws OUT_OF_RANGE for a path that the kernel would not take; a container can nest folders deeper than that, and a
 * walk that followed would run out of stack and descriptors.
 */
export function joinPath(folder: string, base: Buffer | string): string {
  const last = typeof base === "string" ? base : base.toString("latin1");
  if (folder === "") return last;
  const path = `${folder}/${last}`;
  if (path.length <= maxPathBytes) return path;
  throw new CleatError("OUT_OF_RANGE", `path ${showBytes(path)} is longer than ${maxPathBytes} bytes`);
}

/** A byte string as messages show it, by `quoteBytes`. */
export function showBytes(text: string): string {
  return quoteBytes(Buffer.from(text, "latin1"));
}

/**
 * Names of extended attributes as GNU tar has them in the keys of PAX records, which would end at an "=". Docker, Go
 * and libarchive know nothing of it: in a layer's archive a name is what it is. Source: GNU tar 1.34 `src/xheader.c`
 * `xattr_encode_keyword`, `xattr_decode_keyword`.
 */
export function escapeXattrName(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("=", "%3D");
}

export function unescapeXattrName(name: string): string {
  return name.replace(/%(25|3D)/g, (_, digits) => (digits === "25" ? "%" : "="));
}
