import { isDirectory, readNames, statIfThere } from "../../syscall/index.ts";
import { joinPath } from "../entry/entry-name.ts";
import { fileKey } from "../entry/file-key.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
import { withFolder } from "../tree/with-folder.ts";

/**
 * Bytes of all files below an open folder: lengths, not blocks; each file once; folders count nothing. What vanishes
 * meanwhile is passed over. Source of the rule: moby v20.10.24 `pkg/directory.Size`.
 * @throws OUT_OF_RANGE when folders are nested beyond what a path can name.
 */
export function treeSize(root: number): number {
  const seen = new Set<string>();
  return Math.min(
    withFolder(root, ".", (folder) => sizeBelow(createFolderTrail(folder), "", seen)),
    Number.MAX_SAFE_INTEGER,
  );
}

function sizeBelow(trail: FolderTrail, path: string, seen: Set<string>): number {
  let total = 0;
  for (const name of readNames(trail.current())) {
    const status = statIfThere(trail.current(), name);
    if (status === undefined) continue;
    if (isDirectory(status)) {
      const childPath = joinPath(path, name);
      total += trail.within(name, () => sizeBelow(trail, childPath, seen));
    } else if (status.links === 1) total += status.sizeBytes;
    else if (!seen.has(fileKey(status))) {
      seen.add(fileKey(status));
      total += status.sizeBytes;
    }
  }
  return total;
}
