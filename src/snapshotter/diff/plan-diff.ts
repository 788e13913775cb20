import type { OverlayPrefix } from "../../layer/index.ts";
import type { Mount } from "../snapshotter.ts";
import { type MountStack, readMountStack } from "./mount-stack.ts";

/** How to find what two mounts differ in. Plain data: it goes to a worker. */
export type DiffPlan =
  /** The newer one is a layer on top of what the older one shows: only that layer is read. */
  | {
      readonly kind: "layer";
      readonly upper: string;
      readonly lowers: readonly string[];
      readonly attributePrefix: OverlayPrefix;
    }
  /** Both trees are walked. */
  | { readonly kind: "trees"; readonly newer: Tree; readonly older: Tree };

/** A folder to be read where it is, or mounts to be made for it. */
export type Tree = { readonly folder: string } | { readonly mounts: readonly Mount[] };

/**
 * Plans the cheapest way that is right. `isOurs` tells of folders that may be read where they are: those of the store
 * that this process serves; of all others mounts are made, so that no path of a request is opened as such.
 */
export function planDiff(
  older: readonly Mount[],
  newer: readonly Mount[],
  isOurs: (folder: string) => boolean,
): DiffPlan {
  const [left, right] = [older, newer].map((mounts) => {
    const stack = readMountStack(mounts);
    return stack?.folders.every(isOurs) === true ? stack : undefined;
  });
  if (left !== undefined && right?.isOverlay === true) {
    const [upper, ...lowers] = right.folders as [string, ...string[]];
    const { attributePrefix } = right;
    if (isSame(lowers, left.folders) && isReadAlike(left, right))
      return { kind: "layer", upper, lowers, attributePrefix };
  }
  return { kind: "trees", newer: treeOf(newer, right), older: treeOf(older, left) };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((folder, at) => folder === other[at]);
}

/** A lone layer is bound, since it has nothing to delete; several are one overlay, with the same books. */
function isReadAlike(left: MountStack, right: MountStack): boolean {
  return left.isOverlay ? left.attributePrefix === right.attributePrefix : left.folders.length === 1;
}

function treeOf(mounts: readonly Mount[], stack: MountStack | undefined): Tree {
  const folder = stack?.isOverlay === false ? stack.folders[0] : undefined;
  return folder === undefined ? { mounts } : { folder };
}
