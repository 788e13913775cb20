import type { MountSpec } from "../../graphdriver/index.ts";
import { lgetxattr } from "../../syscall/index.ts";
import { foldersOf } from "./overlay-folders.ts";

/**
 * Whether the applier of an engine has marked the root opaque of a layer that lies on others. In the mount that writes
 * go to, overlay does not heed that, and shows their names again. Source: containerd v1.6.20
 * `archive/tar_opts_linux.go` `OverlayConvertWhiteout`.
 */
export function isRootMarkedOpaque(mount: MountSpec): boolean {
  const { upper, lower } = foldersOf(mount);
  if (lower === undefined) return false;
  const prefix = mount.options.includes("userxattr") ? "user" : "trusted";
  return lgetxattr(upper, `${prefix}.overlay.opaque`)?.equals(yes) === true;
}

const yes = Buffer.from("y");
