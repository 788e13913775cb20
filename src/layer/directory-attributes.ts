import { CleatError, isSystemError } from "../errors/index.ts";
import { close, fstat } from "../syscall/index.ts";
import { noXattrs, type TarHeader } from "../tar/index.ts";
import { type Attributes, attributesOf, type HeaderAttributes, setAttributes } from "./attributes.ts";
import { openConfinedFolder } from "./confine.ts";
import { toEntryError } from "./entry-error.ts";
import type { IdMaps } from "./id-map.ts";
import type { LowerFolder } from "./lower-folders.ts";

/**
 * Folders get owner, mode and times when all else is in place: making files in them would change their times, and a mode
 * without write permission would keep an ordinary user from filling them.
 */
export interface DirectoryAttributes {
  set(path: string, header: TarHeader): void;
  /** Takes over what a folder of the layers below has, so that a copy of it is as it was. */
  inherit(path: string, lower: LowerFolder): void;
  /** The folder at `path` was replaced: what was asked for it and what lay below is void. */
  drop(path: string): void;
  settle(): void;
}

/** What a folder has until then. */
export const workingMode = 0o700;

/** Extended attributes wait in memory, those of all folders together; an archive that brings more of them is refused. */
const maxHeldBytes = 64 * 2 ** 20;

/** What an attribute costs beside its bytes. */
const perAttributeBytes = 256;

/** What is left of a header while it waits: little, for there may be hundreds of thousands. */
interface Wanted {
  readonly header: HeaderAttributes;
  readonly attributes: Attributes;
}

export function createDirectoryAttributes(root: number, ids: IdMaps): DirectoryAttributes {
  const wanted = new Map<string, Wanted>();
  let heldBytes = 0;

  /** Copies, because a value is a view that keeps the whole of the archive's PAX header in memory. */
  function hold(xattrs: TarHeader["xattrs"]): TarHeader["xattrs"] {
    if (xattrs.size === 0) return noXattrs;
    for (const [name, value] of xattrs) heldBytes += perAttributeBytes + name.length + value.length;
    if (heldBytes > maxHeldBytes) {
      throw new CleatError("INVALID_ARGUMENT", `folders have more than ${maxHeldBytes} bytes of extended attributes`);
    }
    return new Map([...xattrs].map(([name, value]) => [name, Buffer.from(value)]));
  }

  function settleOne(path: string, { header, attributes }: Wanted): void {
    let descriptor: number;
    try {
      descriptor = openConfinedFolder(root, Buffer.from(path, "latin1"));
    } catch (error) {
      // Reached through a symlink that a later entry removed or bent: there is no such folder any more.
      if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return;
      throw error;
    }
    try {
      const { uid, gid, mode } = fstat(descriptor);
      setAttributes(descriptor, header, attributes, { uid, gid, mode: mode & 0o7777 });
    } catch (error) {
      throw toEntryError(error, path, attributes);
    } finally {
      close(descriptor);
    }
  }

  return {
    set(path, header) {
      const { type, mtimeSeconds, mtimeNanoseconds } = header;
      const kept = { type, mtimeSeconds, mtimeNanoseconds, xattrs: hold(header.xattrs) };
      wanted.set(path, { header: kept, attributes: attributesOf(header, ids) });
    },
    inherit(path, { status, xattrs }) {
      const { uid, gid, mode, mtimeSeconds, mtimeNanoseconds } = status;
      const kept = { type: "directory", mtimeSeconds, mtimeNanoseconds, xattrs: hold(xattrs) } as const;
      wanted.set(path, { header: kept, attributes: { uid, gid, mode: mode & 0o7777 } });
    },
    drop(path) {
      const below = `${path}/`;
      for (const other of wanted.keys()) {
        if (other === path || other.startsWith(below)) wanted.delete(other);
      }
    },
    settle() {
      // Deepest first: a folder that its own mode closes to an ordinary user is closed after what lies in it.
      for (const [path, one] of [...wanted].toReversed()) settleOne(path, one);
    },
  };
}
