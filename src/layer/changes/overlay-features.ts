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
import { createFolderTrail } from "../tree/folder-trail.ts";

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
 * Looks for both in a diff folder that is open. Costs a walk, which ends where both are found; folders may be nested as
 * deep as a container likes. Blocks; runs on a worker.
 * @throws ABORTED when a folder is moved while the walk is far below it.
 */
export function findOverlayFeatures(folder: number, attributePrefix: OverlayPrefix): OverlayFeatures {
  const redirect = `${attributePrefix}overlay.redirect`;
  const metacopy = `${attributePrefix}overlay.metacopy`;
  const trail = createFolderTrail(folder);
  let redirects = false;
  let metacopies = false;

  /** What is still to be looked at in the folder that the trail stands in. */
  function namesHere(): Buffer[] {
    redirects ||= fgetxattr(trail.current(), redirect) !== undefined;
    return readNames(trail.current());
  }

  /** The names in it, of a folder that was entered. */
  function lookAt(name: Buffer): Buffer[] | undefined {
    const here = trail.current();
    const status = statIfThere(here, name);
    if (status === undefined) return undefined;
    if (isDirectory(status)) {
      trail.enter(name);
      return unlessGone(namesHere) ?? []; // it was entered all the same, and is to be left
    }
    if (isRegularFile(status)) metacopies ||= lgetxattr(procPath(here, name), metacopy) !== undefined;
    return undefined;
  }

  try {
    const pending = [namesHere()];
    while (pending.length > 0 && !(redirects && metacopies)) {
      const name = pending.at(-1)?.pop();
      if (name !== undefined) {
        const names = unlessGone(() => lookAt(name));
        if (names !== undefined) pending.push(names);
      } else if (pending.pop() && pending.length > 0) trail.leave();
    }
    return { redirects, metacopies };
  } finally {
    trail.close();
  }
}

/** A container may take away meanwhile what was listed. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  }
}
