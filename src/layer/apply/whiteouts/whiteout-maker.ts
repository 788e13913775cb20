import type { HeldPaths } from "../paths/held-paths.ts";

/**
 * Keeps deletions while a layer is unpacked. A whiteout speaks of the layers below, never of what its own archive
 * brings (OCI image-spec v1.0 `layer.md`), in whichever order the two come. A folder in which there are nothing but
 * whiteouts is not a part of what the archive brings; one with an opaque marker is.
 */
export interface WhiteoutMaker {
  /** Hides everything that lower layers have in the folder. */
  makeOpaque(folder: string): void;
  /** Hides `name` of the layers below. */
  hide(folder: string, name: Buffer): void;
  /** Is told of each name that the archive makes. */
  made(folder: string, base: Buffer, isFolder: boolean): void;
  /**
   * Makes a folder, which an entry needs, in place of what is none; `path` is without symlinks. False where that came
   * from the archive itself.
   */
  replaceByFolder(parent: number, base: Buffer, path: string): boolean;
  /** Before folders get their attributes. */
  settle(): void;
}

/** Paths with all those above them. */
export interface PathSet {
  add(path: string): void;
  has(path: string): boolean;
}

export function createPathSet(held: HeldPaths): PathSet {
  const paths = new Set<string>();
  return {
    add(path) {
      for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) {
        const above = path.slice(0, at);
        if (paths.has(above)) return;
        held.hold(above);
        paths.add(above);
      }
    },
    has: (path) => paths.has(path),
  };
}
