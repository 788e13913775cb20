import { isDirectory, readSomeNames, statIfThere } from "../../syscall/index.ts";
import { withFolder, withFolderAt } from "../tree/with-folder.ts";

/** Of what lies below a folder. */
export interface TreeLimit {
  readonly entries: number;
  /** Of all files, by their length. */
  readonly sizeBytes: number;
  /** By `performance.now()`: a tree of which there is more to look at then does not fit. Default never. */
  readonly untilMs?: number;
}

/** Whether a tree is small: costs no more than a look at so many entries, however large it is. */
export function fitsWithin(
  root: number,
  { entries, sizeBytes, untilMs = Number.POSITIVE_INFINITY }: TreeLimit,
): boolean {
  const left = { entries, sizeBytes, untilMs };
  return withFolder(root, ".", (folder) => fitsBelow(folder, left));
}

interface Left {
  entries: number;
  sizeBytes: number;
  readonly untilMs: number;
}

function fitsBelow(folder: number, left: Left): boolean {
  const names: Buffer[] = [];
  while (readSomeNames(folder, names)) if (names.length > left.entries) return false;
  left.entries -= names.length;
  return names.every((name) => {
    if (performance.now() > left.untilMs) return false;
    const status = statIfThere(folder, name);
    if (status === undefined) return true;
    if (isDirectory(status)) return withFolder(folder, name, (child) => fitsBelow(child, left));
    left.sizeBytes -= status.sizeBytes;
    return left.sizeBytes >= 0;
  });
}

/** Whether nothing lies in the folder at an absolute path; reads no more than some of its names. */
export function isEmptyFolderAt(path: string): boolean {
  return withFolderAt(path, (folder) => {
    const names: Buffer[] = [];
    while (names.length === 0 && readSomeNames(folder, names));
    return names.length === 0;
  });
}
