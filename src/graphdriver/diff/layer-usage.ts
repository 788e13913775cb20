import { type DiskUsage, diskUsage, withFolderAt } from "../../layer/index.ts";
import type { LayerUsage } from "../driver.ts";

/** A container that moves folders ends a walk of them early. */
const maxWalks = 3;

/** What a folder takes of the disk, itself included, as containerd counts it. Blocks; runs on a worker. */
export function usageOfTree(path: string): LayerUsage {
  return usageWith(() => withFolderAt(path, diskUsage));
}

/** What `count` comes to: of walks that were cut short the longest. */
export function usageWith(count: () => DiskUsage): LayerUsage {
  let most: LayerUsage = { sizeBytes: 0, inodes: 0 };
  for (let walks = 0; walks < maxWalks; walks++) {
    const { allocatedBytes, entries, complete } = count();
    if (entries >= most.inodes) most = { sizeBytes: allocatedBytes, inodes: entries };
    if (complete) return { sizeBytes: allocatedBytes, inodes: entries };
  }
  return most;
}
