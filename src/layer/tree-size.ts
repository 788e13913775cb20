import { isDirectory, readNames, statIfThere } from "../syscall/index.ts";
import { joinPath } from "./entry-name.ts";
import { createLinkedFiles, type LinkedFiles } from "./linked-files.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Bytes of all files below an open folder: lengths, not blocks; each inode once; folders count nothing. What vanishes
 * meanwhile is passed over. Source of the rule: moby v20.10.24 `pkg/directory.Size`.
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 */
export function treeSize(root: number): number {
  const linked = createLinkedFiles<true>();
  return Math.min(
    withFolder(root, ".", (folder) => sizeBelow(folder, "", linked)),
    Number.MAX_SAFE_INTEGER,
  );
}

function sizeBelow(folder: number, path: string, linked: LinkedFiles<true>): number {
  let total = 0;
  for (const name of readNames(folder)) {
    const status = statIfThere(folder, name);
    if (status === undefined) continue;
    if (isDirectory(status)) {
      const childPath = joinPath(path, name);
      total += withFolder(folder, name, (child) => sizeBelow(child, childPath, linked));
    } else if (linked.meet(status, true) === undefined) total += status.sizeBytes;
  }
  return total;
}
