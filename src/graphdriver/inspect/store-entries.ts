/**
 * Looking at a store that somebody hostile may have written to, one component of a path at a time: symlinks are seen
 * and never followed, FIFOs and devices are not waited for, what vanishes meanwhile is not there. These functions
 * block.
 */
import { isSystemError } from "../../errors/index.ts";
import { withFolder } from "../../layer/index.ts";
import { maxRecordBytes, readStart } from "../home/records/read-if-there.ts";
import {
  close,
  fstat,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openat,
  readlinkat,
  readNames,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  statIfThere,
} from "../../syscall/index.ts";

export type EntryKind = "folder" | "file" | "symlink" | "other";

/** What has that name in an open folder; `undefined` for nothing. */
export function kindOf(folder: number, name: Buffer | string): EntryKind | undefined {
  const status = statIfThere(folder, name);
  return status && kindOfMode(status.mode);
}

function kindOfMode(mode: number): EntryKind {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return "folder";
  if (type === S_IFREG) return "file";
  return type === S_IFLNK ? "symlink" : "other";
}

/** Opens a folder that may not be there, or be something else: then `undefined`. */
export function withFolderIfThere<T>(
  parent: number,
  name: Buffer | string,
  visit: (descriptor: number) => T,
): T | undefined {
  if (kindOf(parent, name) !== "folder") return undefined;
  try {
    return withFolder(parent, name, visit);
  } catch (error) {
    // It went, or another thing came in its place.
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  }
}

/** The same at the end of a path of several components. */
export function withPathIfThere<T>(parent: number, path: string, visit: (descriptor: number) => T): T | undefined {
  const [first = ".", ...rest] = path.split("/");
  return withFolderIfThere(parent, first, (folder) =>
    rest.length === 0 ? visit(folder) : withPathIfThere(folder, rest.join("/"), visit),
  );
}

/** The sorted names in a folder; none where no folder is. */
export function namesIn(parent: number, path: string): readonly Buffer[] {
  return withPathIfThere(parent, path, readNames) ?? [];
}

/** The text of a small regular file; `undefined` where none is. What is over 1 MiB, or `maxBytes`, is cut off. */
export function readRecord(folder: number, name: Buffer | string, maxBytes = maxRecordBytes): string | undefined {
  if (kindOf(folder, name) !== "file") return undefined;
  let descriptor: number;
  try {
    descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ELOOP", "ENXIO")) return undefined;
    throw error;
  }
  try {
    const { mode, sizeBytes } = fstat(descriptor);
    if (kindOfMode(mode) !== "file") return undefined;
    return readStart(descriptor, Math.min(sizeBytes, maxBytes));
  } finally {
    close(descriptor);
  }
}

/** The same at the end of a path of several components. */
export function readRecordAt(parent: number, path: string, maxBytes = maxRecordBytes): string | undefined {
  const at = path.lastIndexOf("/");
  if (at < 0) return readRecord(parent, path, maxBytes);
  return withPathIfThere(parent, path.slice(0, at), (folder) => readRecord(folder, path.slice(at + 1), maxBytes));
}

/** What a small JSON file holds, if it is an object; a file that is none says nothing. */
export function readJsonAt(parent: number, path: string): Readonly<Record<string, unknown>> | undefined {
  const text = readRecordAt(parent, path);
  return text === undefined ? undefined : parseObject(text);
}

/** Of an object in JSON; `undefined` for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a symlink leads; `undefined` where none is. */
export function readLink(folder: number, name: Buffer | string): string | undefined {
  try {
    return readlinkat(folder, name).toString();
  } catch (error) {
    if (isSystemError(error, "EINVAL", "ENOENT", "ENAMETOOLONG")) return undefined;
    throw error;
  }
}

/** A name as text: bytes that are not UTF-8 are escaped as `\xff`. */
export function nameText(name: Buffer): string {
  const text = name.toString();
  if (Buffer.from(text).equals(name)) return text;
  return name.toString("latin1").replace(/[^\x20-\x7e]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
