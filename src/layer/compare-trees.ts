import {
  type FileStatus,
  isDirectory,
  lgetxattr,
  procPath,
  readNames,
  S_IFMT,
  S_IFREG,
  statIfThere,
} from "../syscall/index.ts";
import { type ChangeList, createChangeList, statusDiffers, type TreeChange } from "./change.ts";
import { joinPath } from "./entry-name.ts";
import { withFolder } from "./with-folder.ts";

/**
 * What differs between two whole trees, both open as folders; without `older`, everything in `newer` is added. Right for
 * any driver, at the price of a walk of both trees. A name that is the same inode in both is not looked into.
 *
 * Source of the rules: moby v20.10.24 `pkg/archive/changes.go` `ChangesDirs`. Blocks; runs on a worker.
 */
export function compareTrees(newer: number, older: number | undefined): TreeChange[] {
  const changes = createChangeList();
  compareFolders(newer, older, "", changes);
  return changes.sorted();
}

function compareFolders(newer: number, older: number | undefined, path: string, changes: ChangeList): void {
  const newNames = readNames(newer);
  const oldNames = older === undefined ? [] : readNames(older);
  let at = 0;
  for (const name of newNames) {
    for (; at < oldNames.length && compareNames(oldNames[at], name) < 0; at++) markDeleted(oldNames[at], path, changes);
    const inBoth = at < oldNames.length && compareNames(oldNames[at], name) === 0;
    if (inBoth) at++;
    compareEntry(name, newer, inBoth ? older : undefined, joinPath(path, name), changes);
  }
  for (; at < oldNames.length; at++) markDeleted(oldNames[at], path, changes);
}

function compareNames(a: Buffer | undefined, b: Buffer): number {
  return a === undefined ? 1 : Buffer.compare(a, b);
}

function markDeleted(name: Buffer | undefined, path: string, changes: ChangeList): void {
  if (name !== undefined) changes.add(joinPath(path, name), "deleted");
}

function compareEntry(name: Buffer, newer: number, older: number | undefined, path: string, changes: ChangeList): void {
  const status = statIfThere(newer, name);
  if (status === undefined) return;
  const before = older === undefined ? undefined : statIfThere(older, name);
  if (before?.inode === status.inode && before.fileSystem === status.fileSystem) return;

  const changed =
    before !== undefined && (statusDiffers(before, status) || capabilitiesDiffer(name, newer, older, status));
  if (before === undefined) changes.add(path, "added");
  else if (changed) changes.add(path, "modified");
  if (!isDirectory(status)) return;

  const olderIsFolder = before !== undefined && isDirectory(before);
  changes.within(path, () => {
    withFolder(newer, name, (newChild) => {
      if (older === undefined || !olderIsFolder) compareFolders(newChild, undefined, path, changes);
      else withFolder(older, name, (oldChild) => compareFolders(newChild, oldChild, path, changes));
    });
  });
}

function capabilitiesDiffer(name: Buffer, newer: number, older: number | undefined, status: FileStatus): boolean {
  if (older === undefined || (status.mode & S_IFMT) !== S_IFREG) return false;
  return fileCapabilitiesDiffer(newer, older, name);
}

/** Whether a regular file's capabilities differ; nothing else that `stat` shows tells of them. */
export function fileCapabilitiesDiffer(newer: number, older: number, name: Buffer): boolean {
  const after = lgetxattr(procPath(newer, name), "security.capability");
  const before = lgetxattr(procPath(older, name), "security.capability");
  return after === undefined || before === undefined ? after !== before : !after.equals(before);
}
