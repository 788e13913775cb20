import { isSystemError } from "../../errors/index.ts";
import { type DiskUsage, diskUsage, withFolderAt } from "../../layer/index.ts";
import { withPathIfThere } from "./store-entries.ts";

/** Counts a folder of a store, by its path relative to the home; `undefined` where there is none. Blocks. */
export function usageAt(home: string, path: string): DiskUsage | undefined {
  try {
    return withFolderAt(home, (folder) => withPathIfThere(folder, path, diskUsage));
  } catch (error) {
    if (!isSystemError(error, "EACCES")) throw error;
    return { apparentBytes: 0, allocatedBytes: 0, entries: 0, complete: false };
  }
}
