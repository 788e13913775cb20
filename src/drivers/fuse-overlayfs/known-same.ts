import { isSystemError } from "../../errors/index.ts";
import { openConfinedFolder, withFolderAt } from "../../layer/index.ts";
import { close, statIfThere } from "../../syscall/index.ts";
import type { WithKnownSame } from "../../graphdriver/job-kit.ts";
import { parentOf, readLayer } from "../overlay/layout/layout.ts";

/**
 * A file that the layer's own folder does not hold is its parent's: the program redirects nothing, whatever is renamed.
 * What that folder does hold may have been written anew, or copied up for a mere `open`.
 */
export const withKnownSame: WithKnownSame = ({ home, id, parent }, visit) => {
  if (parentOf(home, readLayer(home, id)) !== parent) return visit(undefined);
  return withFolderAt(`${home}/${id}/diff`, (upper) => {
    const finder = createFinder(upper);
    try {
      return visit((path) => !finder.mayHold(path));
    } finally {
      finder.close();
    }
  });
};

/** Looks names up in a tree; most lie in the folder of the one before, which stays open. */
function createFinder(root: number) {
  let folderPath = "";
  let folder: number | undefined;

  function open(path: string): void {
    if (folder !== undefined) close(folder);
    folder = undefined;
    folderPath = path;
    folder = openConfinedFolder(root, Buffer.from(path, "latin1"));
  }

  return {
    mayHold(path: string): boolean {
      const at = path.lastIndexOf("/");
      const above = path.slice(0, Math.max(0, at));
      try {
        if (folder === undefined || above !== folderPath) open(above);
        return folder !== undefined && statIfThere(folder, Buffer.from(path.slice(at + 1), "latin1")) !== undefined;
      } catch (error) {
        if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
        if (isSystemError(error, "ENAMETOOLONG", "ELOOP")) return true;
        throw error;
      }
    },
    close(): void {
      if (folder !== undefined) close(folder);
    },
  };
}
