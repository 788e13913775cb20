import { fsetxattr } from "../../../syscall/index.ts";
import type { OverlayPrefix } from "../../entry/whiteout.ts";
import { isOpaqueFolder, type Lowers } from "../../lowers/lower-folder.ts";
import { createLowerFolders } from "../../lowers/lower-folders.ts";
import { hideNamesOf } from "./settle-whiteouts.ts";

const yes = Buffer.from("y");

/** Whoever looks into the folder through a mount sees nothing of the layers below. Not of use at a layer's root. */
export function markOpaque(folder: number, attributePrefix: OverlayPrefix): void {
  fsetxattr(folder, `${attributePrefix}overlay.opaque`, yes);
}

/**
 * Hides name by name what the `lowers` show, the uppermost first, where the layer's root is marked opaque. Appliers
 * leave that mark for an archive with `.wh..wh..opq` at its root, and overlay does not heed it there. The mark stays,
 * since the layer may come to lie on others; done twice, it changes nothing. False where there is no mark, which is one
 * system call; else a few for each name. Nobody may have the layer mounted. Source: containerd v1.6.20
 * `archive/tar_opts_linux.go` `OverlayConvertWhiteout`; moby v20.10.24 `pkg/archive/archive_linux.go` `ConvertRead`.
 */
export function hideBelowOpaqueRoot(root: number, lowers: Lowers, attributePrefix: OverlayPrefix): boolean {
  if (!isOpaqueFolder(root, attributePrefix)) return false;
  hideNamesOf(createLowerFolders(lowers, attributePrefix), root, (folder) => markOpaque(folder, attributePrefix));
  return true;
}
