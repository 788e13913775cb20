import { existsSync } from "node:fs";
import type { DraftTables } from "../../state/index.ts";
import type { Logger } from "../../transport/index.ts";
import { unknownHolder } from "../holders/mount-record.ts";
import { readMountPoints } from "../mounting/mount-file-system.ts";
import type { VolumeFolders } from "./volume-folders.ts";
import type { volumeTables } from "./volume-record.ts";

export interface SettleOlderParts {
  readonly folders: Pick<VolumeFolders, "folderOf" | "targetOf">;
  readonly bootId: string;
  readonly logger: Logger;
}

/**
 * Records that a backup has brought back alone tell of volumes as they were. One that was half made or half removed
 * then may have been made, or made anew, and written to since: where it has a folder, it is kept. Who has mounted one
 * since is unknown: what is mounted now stays so.
 */
export function settleOlder(
  { volumes, mounts }: DraftTables<typeof volumeTables>,
  { folders, bootId, logger }: SettleOlderParts,
): void {
  const mountPoints = readMountPoints();
  const kept: string[] = [];
  const held: string[] = [];
  const all = [...volumes.entries()]; // as they were: they are changed below
  for (const [name, { resizingTo, ...record }] of all) {
    const target = folders.targetOf(name);
    const isMounted = mountPoints.has(target);
    if (record.state !== "ready" && !isMounted && !existsSync(folders.folderOf(name))) {
      volumes.delete(name);
      mounts.delete(name);
      continue;
    }
    if (record.state !== "ready" || resizingTo !== undefined) {
      kept.push(name);
      volumes.put(name, { ...record, state: "ready" });
    }
    if (!isMounted) continue;
    held.push(name);
    const mount = mounts.get(name);
    const known = mount?.boot === bootId ? mount.holders : [];
    const holders = [...new Set([...known, unknownHolder])];
    mounts.put(name, { holders, path: mount?.path ?? target, isMount: true, boot: bootId });
  }
  const message =
    "records are older than the volumes, as from a backup: what was half made, half removed or half resized in them " +
    "is kept as it is, and what is mounted stays so until the machine is started anew";
  logger.warn({ kept, held }, message);
}
