import { existsSync } from "node:fs";
import type { OverlayFeatures, OverlayPrefix } from "../../../layer/index.ts";

/** An option of a mount; one without a value is a flag. */
export type MountSwitch = readonly [name: string, value?: string];

/**
 * What each mount is told about overlay's features, whatever the kernel's defaults are: to make nothing that keeps
 * something of a layer elsewhere than in its diff folder, and to understand what `features` says is there. Folders that
 * were renamed under other settings are always followed: such attributes come from the kernel's own mounts only, since
 * `applyDiff` lets no archive bring them, and lead to nothing outside the layers. Files without content can only be
 * read by a mount that makes such files, too.
 *
 * In a user namespace overlay has none of these features, and takes no word about them. Source: `overlayfs.rst` v6.1;
 * Linux v6.6 `fs/overlayfs/params.c` `ovl_fs_params_verify`.
 */
export function mountSwitches(attributePrefix: OverlayPrefix, { metacopies }: OverlayFeatures): readonly MountSwitch[] {
  if (attributePrefix === "user.") return [["userxattr"], ...known(["index", "off"])];
  return metacopies
    ? known(["index", "off"], ["metacopy", "on"], ["redirect_dir", "on"])
    : known(["index", "off"], ["metacopy", "off"], ["redirect_dir", "follow"]);
}

/**
 * What is said of them to whoever mounts a layer for somebody else: as little as containerd's own snapshotter says,
 * since buildkit takes its slow road where it meets an option that it does not know. Source: containerd v2.1.9
 * `plugins/snapshots/overlay/overlay.go` `NewSnapshotter`; buildkit v0.25.2 `util/overlay/overlay_linux.go`
 * `GetOverlayLayers`.
 */
export function specSwitches(attributePrefix: OverlayPrefix): readonly string[] {
  const own: readonly MountSwitch[] = attributePrefix === "user." ? [["userxattr"]] : [];
  return [...known(["index", "off"]), ...own].map((one) => one.join("="));
}

/** Those that are parameters of this kernel's overlay module, too. */
function known(...switches: readonly MountSwitch[]): readonly MountSwitch[] {
  return switches.filter(([name]) => isParameter(name));
}

/** The module may be loaded later, and stays what it is then. */
const parameters = new Set<string>();

function isParameter(name: string): boolean {
  if (!parameters.has(name) && existsSync(`/sys/module/overlay/parameters/${name}`)) parameters.add(name);
  return parameters.has(name);
}
