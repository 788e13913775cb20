/** Overlay mounts in scratch folders. */
import * as fs from "node:fs";

import { removeTree, withFolderAt } from "../../../src/layer/index.ts";
import { MNT_DETACH, mount, umount2 } from "../../../src/syscall/index.ts";

export interface OverlayMount {
  /** The uppermost first. */
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly merged: string;
}

/** A scratch folder on a file system that overlay accepts for its upper folder; `remove` it. */
export function makeScratch(name: string): { readonly path: string; remove(): void } {
  const path = fs.mkdtempSync(`/var/tmp/cleat-${name}-`);
  const slash = path.lastIndexOf("/");
  return { path, remove: () => withFolderAt(path.slice(0, slash), (up) => removeTree(up, path.slice(slash + 1))) };
}

/**
 * Mounts an overlay of folders below `scratch` while `use` runs. Redirects and metacopy are off, as a diff needs it,
 * unless `switches` say otherwise.
 */
export function withOverlay<T>(
  scratch: string,
  lowers: readonly string[],
  upper: string,
  use: (at: OverlayMount) => T,
  switches = "redirect_dir=off,metacopy=off",
): T {
  const [work, merged] = [`${upper}-work`, `${upper}-merged`];
  for (const folder of [...lowers, upper, work, merged]) fs.mkdirSync(`${scratch}/${folder}`, { recursive: true });
  const at = (folder: string): string => `${scratch}/${folder}`;
  const data = `lowerdir=${lowers.map(at).join(":")},upperdir=${at(upper)},workdir=${at(work)}`;
  mount("overlay", at(merged), "overlay", 0, `${data},${switches},index=off`);
  try {
    return use({ lowers: lowers.map(at), upper: at(upper), merged: at(merged) });
  } finally {
    umount2(at(merged), MNT_DETACH);
  }
}
