import type { OverlayPrefix } from "../../layer/index.ts";
import type { Mount } from "../snapshotter.ts";

/**
 * Which folders a mount shows, without mounting it: those of a bind mount, or the layers of an overlay, the uppermost
 * first. Nothing where the mount is of another kind, or has options that make more of it than its layers, so that it
 * has to be mounted.
 */
export interface MountStack {
  readonly folders: readonly string[];
  /** Whether deletions are kept in the folders, as overlay does. */
  readonly isOverlay: boolean;
  /** Of an overlay that is written to: what takes the changes, the first of `folders`. */
  readonly upper: string | undefined;
  readonly attributePrefix: OverlayPrefix;
}

export function readMountStack(mounts: readonly Mount[]): MountStack | undefined {
  const [mount, ...further] = mounts;
  if (mount === undefined || further.length > 0 || (mount.target ?? "") !== "") return undefined;
  if (mount.type === "overlay") return readOverlay(mount.options);
  const isBind = mount.type === "bind" && mount.options.every((option) => bindOptions.has(option));
  if (!isBind) return undefined;
  return { folders: [mount.source], isOverlay: false, upper: undefined, attributePrefix: "trusted." };
}

const bindOptions = new Set(["bind", "rbind", "ro", "rw"]);
/** What changes nothing of which files are seen. */
const plainOverlayOptions = new Set([
  "ro",
  "rw",
  "index=off",
  "index=on",
  "xino=off",
  "xino=on",
  "xino=auto",
  "volatile",
]);

function readOverlay(options: readonly string[]): MountStack | undefined {
  let lowers: readonly string[] = [];
  let upper: string | undefined;
  let attributePrefix: OverlayPrefix = "trusted.";
  for (const option of options) {
    const equals = option.indexOf("=");
    const [key, value] = [option.slice(0, Math.max(0, equals)), option.slice(equals + 1)];
    // A path with a colon or a comma is escaped, and none of ours.
    if (value.includes("\\")) return undefined;
    if (key === "lowerdir") lowers = value.split(":");
    else if (key === "upperdir") upper = value;
    else if (option === "userxattr") attributePrefix = "user.";
    else if (key !== "workdir" && !plainOverlayOptions.has(option)) return undefined;
  }
  const folders = upper === undefined ? lowers : [upper, ...lowers];
  return folders.length === 0 ? undefined : { folders, isOverlay: true, upper, attributePrefix };
}
