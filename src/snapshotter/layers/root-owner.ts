import { chown, lstat } from "node:fs/promises";
import type { MountSpec } from "../../graphdriver/index.ts";
import type { IdRemap } from "../snapshot-storage.ts";
import { foldersOf } from "./overlay-folders.ts";
import { rootOf } from "./id-remap.ts";

/**
 * Gives a new layer's root the owner that it is to show: root of the mapped ids, or the parent's, which overlay would hide under
 * its own. A copy of the parent has that already. Source: containerd v2.1.9 `plugins/snapshots/overlay/overlay.go`
 * `createSnapshot`.
 */
export async function giveRootItsOwner(mount: MountSpec, remap: IdRemap | undefined): Promise<void> {
  const { upper, lower } = foldersOf(mount);
  const owner = remap !== undefined ? rootOf(remap) : lower !== undefined ? await lstat(lower) : undefined;
  if (owner === undefined) return;
  const own = await lstat(upper);
  if (own.uid !== owner.uid || own.gid !== owner.gid) await chown(upper, owner.uid, owner.gid);
}
