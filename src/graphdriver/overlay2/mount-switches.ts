import { existsSync } from "node:fs";
import type { OverlayPrefix } from "../../layer/index.ts";

/** An option of a mount; one without a value is a flag. */
export type MountSwitch = readonly [name: string, value?: string];

/**
 * What each mount is told about overlay's features, whatever the kernel's defaults are: none of those that keep something of a
 * layer elsewhere than in its diff folder. In a user namespace the kernel itself has no others, and takes no word about them.
 *
 * Source: `overlayfs.rst` v6.1; Linux v6.6 `fs/overlayfs/params.c` `ovl_fs_params_verify`.
 */
export function mountSwitches(attributePrefix: OverlayPrefix): readonly MountSwitch[] {
  if (attributePrefix === "user.") return [["userxattr"], ...known(["index", "off"])];
  return known(["index", "off"], ["metacopy", "off"], ["redirect_dir", "off"]);
}

/** Those that are parameters of this kernel's overlay module, too. */
function known(...switches: readonly MountSwitch[]): readonly MountSwitch[] {
  return switches.filter(([name]) => existsSync(`/sys/module/overlay/parameters/${name}`));
}
