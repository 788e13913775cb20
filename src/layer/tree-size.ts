import { isDirectory, readNames, statIfThere } from "../syscall/index.ts";
import { joinPath } from "./entry-name.ts";
import { fileKey } from "./file-key.ts";
import { withFolder } from "./with-folder.ts";

/**
 * Bytes of all files below an open folder: lengths, not blocks; each file once; folders count nothing. What vanishes
 * meanwhile is passed over. Source of the rule: moby v20.10.24 `pkg/directory.Size`.
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 */
export function treeSize(root: number): number {
  const seen = new Set<string>();
  return Math.min(
    withFolder(root, ".", (folder) => sizeBelow(folder, "", seen)),
    Number.MAX_SAFE_INTEGER,
  );
}

function sizeBelow(folder: number, path: string, seen: Set<string>): number {
  let total = 0;
  for (const name of readNames(folder)) {
    const status = statIfThere(folder, name);
    if (status === undefined) continue;
    if (isDirectory(status)) {
      const childPath = joinPath(path, name);
      total += withFolder(folder, name, (child) => sizeBelow(child, childPath, seen));
    } else if (status.links === 1) total += status.sizeBytes;
    else if (!seen.has(fileKey(status))) {
      seen.add(fileKey(status));
      total += status.sizeBytes;
    }
  }
  return total;
}
