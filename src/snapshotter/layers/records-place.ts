import { join } from "node:path";
import { ownFolder } from "../../graphdriver/kit.ts";

/** Where a root keeps the records of its snapshots. */
export function recordsFolderOf(root: string): string {
  return join(root, ownFolder, "snapshots");
}

/** Beside the folder of the records, so that who brings that back as it was does not bring this along. */
export function markFileOf(root: string): string {
  return join(root, ownFolder, "snapshots-mark.json");
}

/** Where a root keeps under which name containerd knows it, for `createSnapshotsService`. */
export function servedNameFile(root: string): string {
  return join(recordsFolderOf(root), "served-as.json");
}
