import { isSystemError } from "../../errors/index.ts";
import { type FileStatus, statIfThere } from "../../syscall/index.ts";

export interface MovedFolders {
  /** Whether the folder at `path`, or one above it, may be another than the one that was there. */
  mayHaveMoved(path: string): boolean;
  /** Whether names may have been added to the folder at `path`, or taken from it. */
  isTouched(path: string): boolean;
}

export interface MovedFoldersOptions {
  /** Whether a folder was changed since the moment that is asked about. */
  isChanged(folder: FileStatus): boolean;
  /** Whether names can change places without a mark on what they name. */
  readonly exchangesSilently: boolean;
}

interface Level {
  readonly path: string;
  readonly isTouched: boolean;
  readonly mayHaveMoved: boolean;
}

/**
 * Tells of folders below `root` whether they were moved. To rename one leaves everything in it as it was, and marks the
 * folder itself and that which holds it; so one that was moved is marked, and lies in one that is. Costs a look at each
 * folder that is asked about, if that is done folder by folder, as walks do.
 */
export function createMovedFolders(root: number, options: MovedFoldersOptions): MovedFolders {
  /** From the root to the folder that was asked about last. */
  const levels: Level[] = [];

  function look(path: string): boolean {
    try {
      const status = statIfThere(root, Buffer.from(path === "" ? "." : path, "latin1"));
      return status === undefined || options.isChanged(status);
    } catch (error) {
      if (isSystemError(error, "ENOTDIR", "ENAMETOOLONG", "ELOOP")) return true; // nothing is known of it
      throw error;
    }
  }

  function push(path: string): Level {
    const above = levels.at(-1);
    const isTouched = look(path);
    const movedItself = above?.isTouched === true && (isTouched || options.exchangesSilently);
    const level = { path, isTouched, mayHaveMoved: above !== undefined && (above.mayHaveMoved || movedItself) };
    levels.push(level);
    return level;
  }

  function levelOf(path: string): Level {
    while (levels.length > 0 && !isWithin(path, (levels.at(-1) as Level).path)) levels.pop();
    let last = levels.at(-1) ?? push("");
    while (last.path !== path) {
      const end = path.indexOf("/", last.path === "" ? 0 : last.path.length + 1);
      last = push(end < 0 ? path : path.slice(0, end));
    }
    return last;
  }

  return {
    mayHaveMoved: (path) => levelOf(path).mayHaveMoved,
    isTouched: (path) => levelOf(path).isTouched,
  };
}

function isWithin(path: string, folder: string): boolean {
  return folder === "" || path === folder || (path.startsWith(folder) && path[folder.length] === "/");
}
