import { CleatError } from "../../errors/index.ts";
import type { WhiteoutConvention } from "../../layer/index.ts";
import type { Mount } from "../snapshotter.ts";
import { readMountStack } from "./mount-stack.ts";

/** Where an archive is unpacked, without a mount. Plain data: it goes to a worker. */
export interface ApplyTarget {
  readonly folder: string;
  readonly whiteouts: WhiteoutConvention;
  /**
   * Of an overlay: what lies below, the uppermost first; undefined where that is said when it is committed (`rebase`).
   */
  readonly lowers: readonly string[] | undefined;
}

/**
 * The folder behind a writable mount of ours: the upper one of an overlay, or what is bound.
 * @throws UNIMPLEMENTED for other mounts, into which the next differ in containerd's configuration may unpack.
 */
export function planApply(mounts: readonly Mount[], isOurs: (folder: string) => boolean): ApplyTarget {
  const stack = readMountStack(mounts);
  const isWritable = mounts[0]?.options.includes("ro") === false;
  const folder = stack?.isOverlay === true ? stack.upper : stack?.folders[0];
  if (stack === undefined || folder === undefined || !isWritable || !stack.folders.every(isOurs)) {
    throw new CleatError("UNIMPLEMENTED", "mounts are not those of a writable snapshot that this process serves");
  }
  const { attributePrefix, folders, isOverlay } = stack;
  const lowers = folders.slice(1);
  return {
    folder,
    whiteouts: isOverlay ? { kind: "overlay", attributePrefix } : { kind: "delete" },
    lowers: isOverlay && lowers.length > 0 ? lowers : undefined,
  };
}
