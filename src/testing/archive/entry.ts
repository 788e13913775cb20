/** Entries of archives that a check is made of, as short to write as they read. */
import { createTarHeader, type TarEntryType, type TarHeader } from "../../tar/index.ts";

export interface ArchiveEntry {
  readonly header: TarHeader;
  readonly content: Buffer;
}

/** Names are text or, where they are no UTF-8, bytes. */
export type Name = string | Uint8Array;

export interface Attributes {
  readonly mode?: number;
  /** Default the process's own, so that an ordinary user can make the file too. */
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds?: number;
  readonly mtimeNanoseconds?: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** A moment long ago, so that nothing made now has it by chance. */
export const longAgoSeconds = 1_111_111_111;

export function file(name: Name, content: string | Uint8Array = "", attributes: Attributes = {}): ArchiveEntry {
  return entry("file", name, { mode: 0o644, ...attributes }, {}, Buffer.from(content as string));
}

/** A folder; its name needs no slash at the end. */
export function folder(name: Name, attributes: Attributes = {}): ArchiveEntry {
  return entry("directory", Buffer.concat([bytes(name), Buffer.from("/")]), { mode: 0o755, ...attributes });
}

export function symlink(name: Name, target: Name, attributes: Attributes = {}): ArchiveEntry {
  return entry("symlink", name, { mode: 0o777, ...attributes }, { linkName: bytes(target) });
}

export function hardLink(name: Name, target: Name): ArchiveEntry {
  return entry("hardlink", name, { mode: 0o644 }, { linkName: bytes(target) });
}

export function fifo(name: Name, attributes: Attributes = {}): ArchiveEntry {
  return entry("fifo", name, { mode: 0o644, ...attributes });
}

export function device(
  type: "character-device" | "block-device",
  name: Name,
  [deviceMajor, deviceMinor]: readonly [number, number],
  attributes: Attributes = {},
): ArchiveEntry {
  return entry(type, name, { mode: 0o600, ...attributes }, { deviceMajor, deviceMinor });
}

/** Hides `path` of the layers below. */
export function whiteout(path: string): ArchiveEntry {
  const at = path.lastIndexOf("/") + 1;
  return file(`${path.slice(0, at)}.wh.${path.slice(at)}`, "", { mode: 0 });
}

/** Hides all that the layers below have in a folder. */
export function opaque(path: string): ArchiveEntry {
  return file(`${path}/.wh..wh..opq`, "", { mode: 0 });
}

function entry(
  type: TarEntryType,
  name: Name,
  attributes: Attributes,
  more: Partial<TarHeader> = {},
  content: Buffer = Buffer.alloc(0),
): ArchiveEntry {
  const { xattrs = {}, ...rest } = attributes;
  const values = Object.entries(xattrs).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]);
  const header = createTarHeader({
    name: bytes(name),
    type,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    mtimeSeconds: longAgoSeconds,
    ...rest,
    xattrs: new Map(values),
    sizeBytes: content.length,
    ...more,
  });
  return { header, content };
}

function bytes(name: Name): Buffer {
  return typeof name === "string" ? Buffer.from(name) : Buffer.from(name);
}
