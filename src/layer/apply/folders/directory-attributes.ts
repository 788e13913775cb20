import { CleatError, isSystemError } from "../../../errors/index.ts";
import { close, fchmod, fchown, fstat } from "../../../syscall/index.ts";
import { noXattrs, type TarHeader } from "../../../tar/index.ts";
import { openConfinedFolder } from "../../tree/confine.ts";
import { toEntryError } from "../../entry/entry-error.ts";
import type { IdMaps } from "../../entry/id-map.ts";
import type { LowerFolder } from "../../lowers/lower-folders.ts";
import type { HeldPaths } from "../paths/held-paths.ts";
import { createMarkedPaths } from "../paths/marked-paths.ts";
import {
  type AttributeRules,
  type Attributes,
  attributesOf,
  type HeaderAttributes,
  setAttributes,
} from "./attributes.ts";

/**
 * Folders get owner, mode and times when all else is in place, but for a mode that they can be made with
 * (`creationMode`): making files in them would change their times, and a mode without write permission would keep an
 * ordinary user from filling them.
 */
export interface DirectoryAttributes {
  /** Paths are clean and without symlinks. */
  set(path: string, header: TarHeader): void;
  /**
   * Takes over what a folder of the layers below has, so that a copy of it is as it was, until an entry says otherwise.
   */
  inherit(path: string, lower: LowerFolder): void;
  /** What the layers below have at `path` turned out to be hidden: folders below it, or `itself`, are new ones. */
  disinherit(path: string, itself: boolean): void;
  /** The folder at `path` was replaced: what was asked for it and what lay below is void. */
  drop(path: string): void;
  settle(): void;
}

/** The mode moby gives to folders that an archive implies. Source: moby v23 `archive.ImpliedDirectoryMode`. */
export const impliedMode = 0o755;

/**
 * Extended attributes wait in memory, those of all folders together; an archive that brings more of them is refused.
 */
const maxHeldBytes = 64 * 2 ** 20;

/** What an attribute costs beside its bytes. */
const perAttributeBytes = 256;

/** What V8 takes for one of the next. */
const wantedBytes = 256;

/** What is left of a header while it waits: little, for there may be hundreds of thousands. */
interface Wanted {
  readonly header: HeaderAttributes;
  readonly attributes: Attributes;
  /** The moment of `replaced` at which it was asked for. */
  readonly since: number;
}

interface Inherited extends Wanted {
  /** The moment of `hidden`. */
  readonly hiddenSince: number;
}

export function createDirectoryAttributes(
  root: number,
  ids: IdMaps,
  held: HeldPaths,
  rules: AttributeRules,
): DirectoryAttributes {
  const wanted = new Map<string, Wanted>();
  const inherited = new Map<string, Inherited>();
  const replaced = createMarkedPaths(held);
  const hidden = createMarkedPaths(held);
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

  function settleOne(path: string, attributes: Attributes, settle: (descriptor: number) => void): void {
    let descriptor: number;
    try {
      descriptor = openConfinedFolder(root, Buffer.from(path, "latin1"));
    } catch (error) {
      // Reached through a symlink that a later entry removed or bent: there is no such folder any more.
      if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return;
      throw error;
    }
    try {
      settle(descriptor);
    } catch (error) {
      throw toEntryError(error, path, attributes);
    } finally {
      close(descriptor);
    }
  }

  function settleAsAsked(path: string, { header, attributes }: Wanted): void {
    settleOne(path, attributes, (descriptor) => {
      const { uid, gid, mode } = fstat(descriptor);
      setAttributes(descriptor, header, attributes, { uid, gid, mode: mode & 0o7777 }, rules);
    });
  }

  function settleAsImplied(path: string): void {
    const attributes = { uid: ids.uids.hostRoot, gid: ids.gids.hostRoot, mode: impliedMode };
    settleOne(path, attributes, (descriptor) => {
      fchown(descriptor, attributes.uid, attributes.gid);
      fchmod(descriptor, attributes.mode);
    });
  }

  return {
    set(path, header) {
      const { type, mtimeSeconds, mtimeNanoseconds } = header;
      const kept = { type, mtimeSeconds, mtimeNanoseconds, xattrs: hold(header.xattrs) };
      inherited.delete(path);
      if (!wanted.has(path)) held.hold(path, wantedBytes);
      wanted.set(path, { header: kept, attributes: attributesOf(header, ids), since: replaced.now() });
    },
    inherit(path, { status, xattrs }) {
      const { uid, gid, mode, mtimeSeconds, mtimeNanoseconds } = status;
      const header = { type: "directory", mtimeSeconds, mtimeNanoseconds, xattrs: hold(xattrs) } as const;
      const attributes = { uid, gid, mode: mode & 0o7777 };
      if (!inherited.has(path)) held.hold(path, wantedBytes);
      inherited.set(path, { header, attributes, since: replaced.now(), hiddenSince: hidden.now() });
    },
    disinherit: (path, itself) => hidden.mark(path, itself),
    drop: (path) => replaced.mark(path, true),
    settle() {
      // Deepest first: a folder that its own mode closes to an ordinary user is closed after what lies in it. What is
      // inherited before what the archive says, which may have reached the same folder through a symlink.
      for (const [path, one] of [...inherited].toReversed()) {
        if (replaced.isVoid(path, one.since)) continue;
        if (hidden.isVoid(path, one.hiddenSince)) settleAsImplied(path);
        else settleAsAsked(path, one);
      }
      for (const [path, one] of [...wanted].toReversed()) {
        if (!replaced.isVoid(path, one.since)) settleAsAsked(path, one);
      }
    },
  };
}
