import { isSystemError } from "../../errors/index.ts";
import { openFolder, removeTree, withFolderAt } from "../../layer/index.ts";
import { close, mkdirat, renameat2 } from "../../syscall/index.ts";
import { trashFolder, uniqueName } from "../../graphdriver/job-kit.ts";

export interface TrashedFiles {
  /** Takes a name out of an open folder in one step, whatever its size; deletes what cannot be moved. */
  add(folder: number, name: Buffer): void;
  close(): void;
}

/** Gathers, under one name in the trash of a home, what is to be deleted behind. */
export function openTrashedFiles(home: string, trashName: string): TrashedFiles {
  const descriptor = withFolderAt(`${home}/${trashFolder}`, (trash) => {
    mkdirat(trash, trashName, 0o700);
    return openFolder(trash, trashName);
  });
  return {
    add(folder, name) {
      try {
        renameat2(folder, name, descriptor, uniqueName());
      } catch (error) {
        if (!isSystemError(error)) throw error;
        removeTree(folder, name);
      }
    },
    close: () => close(descriptor),
  };
}
