import { isDirectory, readNames, statIfThere } from "../syscall/index.ts";
import { joinPath } from "./entry-name.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Bytes of all files below an open folder: lengths, not blocks; each inode once; folders count nothing. What vanishes
 * meanwhile is passed over. Source of the rule: moby v20.10.24 `pkg/directory.Size`.
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 */
export function treeSize(root: number): number {
  const seen = new Set<bigint>();
  return Math.min(
    withFolder(root, ".", (folder) => sizeBelow(folder, "", seen)),
    Number.MAX_SAFE_INTEGER,
  );
}

function sizeBelow(folder: number, path: string, seen: Set<bigint>): number {
  let total = 0;
  for (const name of readNames(folder)) {
    const status = statIfThere(folder, name);
    if (status === undefined) continue;
    if (isDirectory(status)) {
      const childPath = joinPath(path, name);
      total += withFolder(folder, name, (child) => sizeBelow(child, childPath, seen));
    } else if (status.links === 1) total += status.sizeBytes;
    else if (!seen.has(status.inode)) {
      seen.add(status.inode);
      total += status.sizeBytes;
    }
  }
  return total;
}
