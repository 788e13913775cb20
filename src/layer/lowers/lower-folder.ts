import { close, fgetxattr, readNames, statIfThere } from "../../syscall/index.ts";
import { isOverlayWhiteout } from "../entry/entry-type.ts";
import { isYes, type OverlayPrefix } from "../entry/whiteout.ts";
import { openConfinedFolder } from "../tree/confine.ts";
import { withFolderAt } from "../tree/with-folder.ts";

/** Diff folders of layers, as absolute paths, the uppermost first: those that show through, merged, in some folder. */
export type Lowers = readonly string[];

/**
 * Opens a layer's folder at a clean path below its root, never through a symlink that leads out; it is the caller's to
 * close.
 */
export function openLowerFolder(layer: string, path: string): number {
  return withFolderAt(layer, (root) => openConfinedFolder(root, Buffer.from(path, "latin1")));
}

/** Opens it for as long as `visit` runs. */
export function withLowerFolder<T>(layer: string, path: string, visit: (folder: number) => T): T {
  const folder = openLowerFolder(layer, path);
  try {
    return visit(folder);
  } finally {
    close(folder);
  }
}

/** Whether a folder hides what layers below have in it. */
export function isOpaqueFolder(folder: number, attributePrefix: OverlayPrefix): boolean {
  return isYes(fgetxattr(folder, `${attributePrefix}overlay.opaque`));
}

/**
 * The names, as byte strings, that are seen in a folder which all of `lowers` have: the uppermost that has a name
 * decides.
 */
export function namesShown(lowers: Lowers, path: string): Set<string> {
  const shown = new Set<string>();
  const decided = new Set<string>();
  for (const layer of lowers) {
    withLowerFolder(layer, path, (folder) => {
      for (const name of readNames(folder)) {
        const text = name.toString("latin1");
        if (decided.has(text)) continue;
        decided.add(text);
        const status = statIfThere(folder, name);
        if (status !== undefined && !isOverlayWhiteout(status)) shown.add(text);
      }
    });
  }
  return shown;
}
