/**
 * The list that `changes` must give for two trees, worked out the slow and obvious way, from two whole readings. Source
 * of the rules: moby v20.10.24 `pkg/archive/changes.go`, `changes_unix.go` `statDifferent`; and content, of which size
 * and time may tell nothing.
 */
import type { ChangeKind } from "../../graphdriver/index.ts";
import type { Tree, TreeNode } from "./tree.ts";

/** "added /etc/hosts": paths as byte strings, sorted by their bytes. */
export function expectedChanges(before: Tree, after: Tree): string[] {
  const kinds = new Map<string, ChangeKind>();
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const kind = kindOf(path, before, after);
    if (kind !== undefined) kinds.set(path, kind);
  }
  for (const path of kinds.keys()) {
    for (const folder of foldersAbove(path)) if (!kinds.has(folder)) kinds.set(folder, "modified");
  }
  return [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([path, kind]) => `${kind} /${path}`);
}

/** Bytes of the files that were added or modified, each file once. */
export function expectedSizeBytes(before: Tree, after: Tree): number {
  const counted = new Set<string>();
  let total = 0;
  for (const [path, node] of after) {
    const kind = kindOf(path, before, after);
    if (kind === undefined || node.type === "folder" || counted.has(node.names?.[0] ?? path)) continue;
    counted.add(node.names?.[0] ?? path);
    total += node.sizeBytes;
  }
  return total;
}

function kindOf(path: string, before: Tree, after: Tree): ChangeKind | undefined {
  const was = before.get(path);
  const is = after.get(path);
  if (was === undefined) return "added";
  if (is !== undefined) return differs(was, is) ? "modified" : undefined;
  // What lay in a folder that is gone, or is not a folder any more, went with it.
  const [folder] = foldersAbove(path);
  return folder === undefined || after.get(folder)?.type === "folder" ? "deleted" : undefined;
}

function differs(was: TreeNode, is: TreeNode): boolean {
  if (was.type !== is.type || was.mode !== is.mode || was.uid !== is.uid || was.gid !== is.gid) return true;
  if (was.device !== is.device) return true;
  if (is.type === "folder") return false;
  const capability = "security.capability";
  return (
    was.sizeBytes !== is.sizeBytes ||
    was.mtimeNs !== is.mtimeNs ||
    was.contentHash !== is.contentHash ||
    was.target !== is.target ||
    was.xattrs[capability] !== is.xattrs[capability]
  );
}

/** The folders on the way to `path`, the nearest first. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.push(path.slice(0, at));
  return folders;
}
