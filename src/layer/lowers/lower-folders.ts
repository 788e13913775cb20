import { close, fgetxattr, type FileStatus, flistxattr, fstat, isDirectory, statIfThere } from "../../syscall/index.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";
import { openFolder } from "../tree/with-folder.ts";
import { isOpaqueFolder, type Lowers, namesShown, openLowerFolder } from "./lower-folder.ts";
import { readRedirectedFolder } from "./redirected-folder.ts";

/** A folder that the layers below show, with what a layer above has to keep of it. */
export interface LowerFolder {
  readonly status: FileStatus;
  /** But for those of security modules, which give each file its own. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/**
 * What the layers below show at one path; nothing where none has a folder there, or one above it hides those of the
 * rest.
 */
export interface LowerLevel {
  readonly shown: Lowers;
  /**
   * Whether overlay may show more in it: it, or a folder above it, was renamed under `redirect_dir`, and what lies in
   * that is kept in layers further below under the name that it had. Source: `overlayfs.rst` v6.1, "renaming
   * directories".
   */
  readonly maybeMore: boolean;
  /** As the uppermost has it, where it was asked for. */
  readonly folder: LowerFolder | undefined;
}

/**
 * The diff folders below a layer in the making. Nothing of them stays open between calls, and three descriptors are
 * open within one, however many layers there are and however deep the path.
 */
export interface LowerFolders {
  readonly all: Lowers;
  /**
   * What they show at each step from the folder at the clean path `from`, where `shown` are seen, down `names`. Costs a
   * few system calls for each step of each layer that is seen there.
   */
  follow(shown: Lowers, from: string, names: readonly string[], reads: boolean): LowerLevel[];
  /** What they show at a clean path, also through folders that were redirected; `undefined` for none. */
  readRedirected(path: string): LowerFolder | undefined;
  /** The names that are seen at the layers' roots, as byte strings. */
  rootNames(): Set<string>;
}

/** `all` are absolute, the uppermost first. */
export function createLowerFolders(all: Lowers, attributePrefix: OverlayPrefix): LowerFolders {
  const redirect = `${attributePrefix}overlay.redirect`;

  /**
   * Follows one layer for at most `reach` steps; how far those below it still count. A folder that is opaque ends what
   * they add to it, and what is not a folder ends what they show.
   */
  function followOne(layer: string, from: string, names: readonly string[], reach: number, visit: Visit): Reach {
    let left = reach;
    let redirectedAt = Infinity;
    let here = openLowerFolder(layer, from);
    try {
      for (let at = 0; at < reach; at++) {
        const name = Buffer.from(names[at] as string, "latin1");
        const status = statIfThere(here, name);
        if (status === undefined) break;
        if (!isDirectory(status)) return { left: Math.min(left, at), redirectedAt };
        const child = openFolder(here, name);
        close(here);
        here = child;
        visit(at, here);
        const isRedirected = fgetxattr(here, redirect) !== undefined;
        if (isRedirected) redirectedAt = Math.min(redirectedAt, at);
        // What has the folder's own name further below is another.
        if (isRedirected || isOpaqueFolder(here, attributePrefix)) left = Math.min(left, at);
      }
      return { left, redirectedAt };
    } finally {
      close(here);
    }
  }

  return {
    all,

    follow(shown, from, names, reads) {
      const levels = names.map((): MutableLevel => ({ shown: [], maybeMore: false, folder: undefined }));
      let reach = names.length;
      for (const layer of shown) {
        if (reach === 0) break;
        const { left, redirectedAt } = followOne(layer, from, names, reach, (at, descriptor) => {
          const level = levels[at] as MutableLevel;
          if (reads && level.shown.length === 0) level.folder = readFolder(descriptor);
          level.shown.push(layer);
        });
        reach = left;
        for (const [at, level] of levels.entries()) level.maybeMore ||= at >= redirectedAt;
      }
      return levels;
    },

    readRedirected: (path) => readRedirectedFolder(all, path.split("/"), attributePrefix, readFolder),
    rootNames: () => namesShown(all, ""),
  };
}

interface Reach {
  /** How many steps down the layers below it still count. */
  readonly left: number;
  /** The first step whose folder shows what lies elsewhere; `Infinity` where none does. */
  readonly redirectedAt: number;
}

type Visit = (at: number, descriptor: number) => void;

interface MutableLevel {
  readonly shown: string[];
  maybeMore: boolean;
  folder: LowerFolder | undefined;
}

function readFolder(descriptor: number): LowerFolder {
  const names = flistxattr(descriptor).filter((name) => !name.startsWith("security."));
  const xattrs = names.map((name) => [name, fgetxattr(descriptor, name) ?? Buffer.alloc(0)] as const);
  return { status: fstat(descriptor), xattrs: new Map(xattrs) };
}
