/** What a thread runs, and imports, to help another one that copies a tree. */
import { close, readEntries, throwIfCancelled } from "../../syscall/index.ts";
import { openRegularFile } from "../tree/open-regular.ts";
import { type CopyQueue, serveCopies } from "./copy-beside.ts";
import { type Cloning, copyOpened } from "./copy-file.ts";

export const copyFoldersUrl = import.meta.url;

/** Copies the files of each folder that the walker hands on, until that ends. Blocks. */
export function copyFolders(queue: CopyQueue): void {
  const cloning: Cloning = { clones: true };
  serveCopies(queue, (source, target) => {
    let hasLeft = false;
    for (const { name, isRegular } of readEntries(source)) {
      throwIfCancelled();
      if (isRegular && !copyOnlyName(source, target, name, cloning)) hasLeft = true;
    }
    return { hasLeft };
  });
}

/** False for a file that has other names, which may be copied already, and for what is no regular file any more. */
function copyOnlyName(from: number, to: number, name: Buffer, cloning: Cloning): boolean {
  const file = openRegularFile(from, name);
  if (file === undefined) return false;
  const { descriptor, status } = file;
  try {
    if (status.links > 1) return false;
    copyOpened(descriptor, to, name, status, cloning);
    return true;
  } finally {
    close(descriptor);
  }
}
