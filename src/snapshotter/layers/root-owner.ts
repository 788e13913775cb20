import { chownSync, lstatSync } from "node:fs";
import type { MountSpec } from "../../graphdriver/index.ts";
import type { IdRemap } from "../snapshot-storage.ts";
import { foldersOf } from "./overlay-folders.ts";
import { rootOf } from "./id-remap.ts";

/**
 * Gives a new layer's root the owner that it is to show: root of the mapped ids, or the parent's, which overlay would hide under
 * its own. A copy of the parent has that already. Source: containerd v2.1.9 `plugins/snapshots/overlay/overlay.go`
 * `createSnapshot`. Blocks for two looks, at what was just made and at what it was made on: less than to wait for a thread.
 */
export function giveRootItsOwner(mount: MountSpec, remap: IdRemap | undefined): void {
  const { upper, lower } = foldersOf(mount);
  const owner = remap !== undefined ? rootOf(remap) : lower !== undefined ? lstatSync(lower) : undefined;
  if (owner === undefined) return;
  const own = lstatSync(upper);
  if (own.uid !== owner.uid || own.gid !== owner.gid) chownSync(upper, owner.uid, owner.gid);
}
