import { isSystemError } from "../../errors/index.ts";
import {
  fgetxattr,
  isDirectory,
  isRegularFile,
  lgetxattr,
  procPath,
  readNames,
  statIfThere,
} from "../../syscall/index.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";
import { withFolder } from "../tree/with-folder.ts";

/**
 * What overlay keeps of a layer elsewhere than in its diff folder: of renamed folders (`redirect_dir`) what lies in
 * them, of files whose owner or mode changed (`metacopy`) the content. Source: `overlayfs.rst` v6.1.
 */
export interface OverlayFeatures {
  readonly redirects: boolean;
  readonly metacopies: boolean;
}

export const noOverlayFeatures: OverlayFeatures = { redirects: false, metacopies: false };

export function joinFeatures(a: OverlayFeatures, b: OverlayFeatures): OverlayFeatures {
  return { redirects: a.redirects || b.redirects, metacopies: a.metacopies || b.metacopies };
}

/**
 * Looks for both in a diff folder that is open. Costs a walk, which ends where both are found. Blocks; runs on a
 * worker.
 */
export function findOverlayFeatures(folder: number, attributePrefix: OverlayPrefix): OverlayFeatures {
  const redirect = `${attributePrefix}overlay.redirect`;
  const metacopy = `${attributePrefix}overlay.metacopy`;

  function look(at: number, found: OverlayFeatures): OverlayFeatures {
    let all = found.redirects ? found : { ...found, redirects: fgetxattr(at, redirect) !== undefined };
    for (const name of readNames(at)) {
      if (all.redirects && all.metacopies) return all;
      all = lookAtEntry(at, name, all);
    }
    return all;
  }

  function lookAtEntry(at: number, name: Buffer, found: OverlayFeatures): OverlayFeatures {
    const status = statIfThere(at, name);
    if (status === undefined) return found;
    try {
      if (isDirectory(status)) return withFolder(at, name, (child) => look(child, found));
      if (found.metacopies || !isRegularFile(status)) return found;
      return { ...found, metacopies: lgetxattr(procPath(at, name), metacopy) !== undefined };
    } catch (error) {
      if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return found; // a container took it away meanwhile
      throw error;
    }
  }

  return look(folder, noOverlayFeatures);
}
