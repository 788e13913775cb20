import { isSystemError } from "../errors/index.ts";
import { close, fstat } from "../syscall/index.ts";
import type { TarHeader } from "../tar/index.ts";
import { attributesOf, setAttributes } from "./attributes.ts";
import { openConfinedFolder } from "./confine.ts";
import type { IdMaps } from "./id-map.ts";

/**
 * Folders get owner, mode and times when all else is in place: making files in them would change their times, and a mode
 * without write permission would keep an ordinary user from filling them.
 */
export interface DirectoryAttributes {
  set(path: string, header: TarHeader): void;
  /** The folder at `path` was replaced: what was asked for it and what lay below is void. */
  drop(path: string): void;
  settle(): void;
}

/** What a folder has until then. */
export const workingMode = 0o700;

export function createDirectoryAttributes(root: number, ids: IdMaps): DirectoryAttributes {
  const wanted = new Map<string, TarHeader>();

  function settleOne(path: string, header: TarHeader): void {
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
      setAttributes(descriptor, header, attributesOf(header, ids), { uid, gid, mode: mode & 0o7777 });
    } finally {
      close(descriptor);
    }
  }

  return {
    set: (path, header) => void wanted.set(path, header),
    drop(path) {
      const below = `${path}/`;
      for (const other of wanted.keys()) {
        if (other === path || other.startsWith(below)) wanted.delete(other);
      }
    },
    settle() {
      // Deepest first: a folder that its own mode closes to an ordinary user is closed after what lies in it.
      for (const [path, header] of [...wanted].reverse()) settleOne(path, header);
    },
  };
}
