import { CleatError } from "../../errors/index.ts";
import { close, type FileStatus, fstat, O_DIRECTORY, O_RDONLY, openat } from "../../syscall/index.ts";
import { openFolder, statOpened } from "./with-folder.ts";

/**
 * The folders on the way down to where a walk stands, of which only the last few are open: folders can be nested deeper than there
 * are descriptors, and many walks run at once. One that was closed is opened again by `..` of the one below it, if that still leads
 * there.
 */
export interface FolderTrail {
  /** The folder that the walk stands in, open until the next `within`. */
  current(): number;
  /**
   * Goes down into a folder, never through a symlink, for as long as `visit` runs.
   * @throws ABORTED when somebody moved that folder meanwhile.
   */
  within<T>(name: Buffer, visit: () => T): T;
}

const maxOpen = 16;

interface Level {
  descriptor: number | undefined;
  /** Of a folder that is closed. */
  status: FileStatus | undefined;
}

/** `root` stays its opener's to close. */
export function createFolderTrail(root: number): FolderTrail {
  const levels: Level[] = [{ descriptor: root, status: undefined }];
  const last = (): Level => levels.at(-1) as Level;

  function closeOneFarAbove(): void {
    const level = levels[levels.length - 1 - maxOpen];
    if (level === undefined || level === levels[0] || level.descriptor === undefined) return;
    level.status = fstat(level.descriptor);
    close(level.descriptor);
    level.descriptor = undefined;
  }

  function openAbove(descriptor: number, level: Level): void {
    const { inode, fileSystem } = level.status as FileStatus;
    const parent = openat(descriptor, "..", O_RDONLY | O_DIRECTORY);
    const found = statOpened(parent);
    if (found.inode !== inode || found.fileSystem !== fileSystem) {
      close(parent);
      throw new CleatError("ABORTED", "a folder was moved while it was read");
    }
    level.descriptor = parent;
  }

  return {
    current: () => last().descriptor as number,
    within(name, visit) {
      levels.push({ descriptor: openFolder(last().descriptor as number, name), status: undefined });
      try {
        closeOneFarAbove();
        const result = visit();
        const above = levels.at(-2) as Level;
        if (above.descriptor === undefined) openAbove(last().descriptor as number, above);
        return result;
      } finally {
        const { descriptor } = levels.pop() as Level;
        if (descriptor !== undefined) close(descriptor);
      }
    },
  };
}
