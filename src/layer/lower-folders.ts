import {
  close,
  fgetxattr,
  type FileStatus,
  flistxattr,
  fstat,
  isDirectory,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  openPath,
  statIfThere,
} from "../syscall/index.ts";
import { isYes } from "./archive-tree.ts";
import type { OverlayPrefix } from "./whiteout.ts";

/** A folder that the layers below show, with what a layer above has to keep of it. */
export interface LowerFolder {
  readonly status: FileStatus;
  /** But for those of security modules, which give each file its own. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** The diff folders below a layer in the making; opened when the first of their folders is asked for. */
export interface LowerFolders {
  /** The folder that they show at a clean byte string of a path; `undefined` where they show none. */
  find(path: string): LowerFolder | undefined;
  isOpaque(descriptor: number): boolean;
  close(): void;
}

/** `paths` are absolute, the uppermost first. */
export function createLowerFolders(paths: readonly string[], attributePrefix: OverlayPrefix): LowerFolders {
  let roots: readonly number[] | undefined;

  function isOpaque(descriptor: number): boolean {
    return isYes(fgetxattr(descriptor, `${attributePrefix}overlay.opaque`));
  }

  function findBelow(lowers: readonly number[], names: readonly string[]): LowerFolder | undefined {
    const [name, ...rest] = names;
    const [first] = lowers;
    if (name === undefined) return first === undefined ? undefined : readFolder(first);
    const below: number[] = [];
    try {
      openShown(lowers, Buffer.from(name, "latin1"), below);
      return findBelow(below, rest);
    } finally {
      closeAll(below);
    }
  }

  /** Opens in each of `lowers` the folder `name`, down to the first that hides the rest. */
  function openShown(lowers: readonly number[], name: Buffer, opened: number[]): void {
    for (const lower of lowers) {
      const status = statIfThere(lower, name);
      if (status === undefined) continue;
      if (!isDirectory(status)) return;
      const folder = openat(lower, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      opened.push(folder);
      if (isOpaque(folder)) return;
    }
  }

  return {
    find: (path) => findBelow((roots ??= openAll(paths)), path.split("/")),
    isOpaque,
    close: () => closeAll(roots ?? []),
  };
}

function openAll(paths: readonly string[]): number[] {
  const opened: number[] = [];
  try {
    for (const path of paths) opened.push(openPath(path, O_RDONLY | O_DIRECTORY));
    return opened;
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) close(descriptor);
}

function readFolder(descriptor: number): LowerFolder {
  const names = flistxattr(descriptor).filter((name) => !name.startsWith("security."));
  const xattrs = names.map((name) => [name, fgetxattr(descriptor, name) ?? Buffer.alloc(0)] as const);
  return { status: fstat(descriptor), xattrs: new Map(xattrs) };
}
