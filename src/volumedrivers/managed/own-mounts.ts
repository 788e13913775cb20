import { toCleatError } from "../../errors/index.ts";
import type { MountSet } from "../holders/mount-set.ts";
import type { Turns } from "../holders/turns.ts";
import { hasMounts } from "../mounting/mount-file-system.ts";
import type { VolumeTable } from "./volume-table.ts";
import type { VolumeFolders } from "./volume-folders.ts";

/** What is mounted of volumes, for a driver that answers for it to others. */
export interface OwnMounts {
  /** Whether its files are there: recorded, and where that takes a mount, still in the kernel's table. */
  isMounted(name: string): boolean;
  /**
   * Whether nothing of it is mounted, nor may be, nor is being mounted or unmounted; `false` also while that is not
   * known. It stays so until somebody mounts it.
   */
  isFree(name: string): Promise<boolean>;
  /** Where there is one. @throws what its backend says while it keeps something that is nowhere else. */
  assertRemovable(name: string): Promise<void>;
}

export interface OwnMountsParts {
  readonly mounts: Pick<MountSet, "pathOf" | "isRecorded">;
  readonly table: Pick<VolumeTable, "recordOf" | "assertRemovable">;
  readonly turns: Turns;
  readonly folders: Pick<VolumeFolders, "targetOf">;
}

/** What goes on with a volume for longer than that goes on. */
const patienceMs = 500;

export function createOwnMounts({ mounts, table, turns, folders }: OwnMountsParts): OwnMounts {
  return {
    isMounted: (name) => mounts.pathOf(name) !== undefined,
    async assertRemovable(name) {
      if (table.recordOf(name)?.state === "ready") await table.assertRemovable(name);
    },
    async isFree(name) {
      const patience = AbortSignal.timeout(patienceMs);
      try {
        return await turns.take(
          name,
          patience,
          async () => !mounts.isRecorded(name) && !hasMounts(folders.targetOf(name)),
        );
      } catch (error) {
        if (patience.aborted && toCleatError(error).code === "CANCELLED") return false;
        throw error;
      }
    },
  };
}
