import { chownSync, constants, lstatSync } from "node:fs";
import { open } from "node:fs/promises";
import type { MountSpec } from "../../graphdriver/index.ts";
import type { IdRemap } from "../snapshot-storage.ts";
import { foldersOf } from "./overlay-folders.ts";
import { rootOf } from "./id-remap.ts";

/**
 * Gives the root of a new layer that lies on others the owner that it is to show, which overlay would hide under its
 * own: root of the mapped ids, or the parent's. Where a mount is a bind there is nothing to give: a copy of the parent
 * has its owner, and engines map a bind as a whole, which would make nobody's of what is root of the mapped ids
 * already. Source: containerd v2.1.9 `plugins/snapshots/overlay/overlay.go` `createSnapshot`, which gives it there,
 * too. Blocks for two looks, at what was just made and at what it was made on: less than to wait for a thread.
 *
 * A new owner is flushed where the layer has been: the flush of a snapshot's record brings it along on file systems
 * with one journal, and not on btrfs.
 */
export async function giveRootItsOwner(mount: MountSpec, remap: IdRemap | undefined, durable: boolean): Promise<void> {
  const { upper, lower } = foldersOf(mount);
  if (lower === undefined) return;
  const owner = remap === undefined ? lstatSync(lower) : rootOf(remap);
  const own = lstatSync(upper);
  if (own.uid === owner.uid && own.gid === owner.gid) return;
  chownSync(upper, owner.uid, owner.gid);
  if (!durable) return;
  const folder = await open(upper, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
