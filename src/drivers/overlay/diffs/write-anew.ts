import { rmSync, writeFileSync } from "node:fs";
import { readIfThere, renameAcrossProjects, stagingPath, takeBack, uniqueName } from "../../../graphdriver/job-kit.ts";
import { withFolderAt } from "../../../layer/index.ts";

/** Files that are to take the places of a layer's own, once they are on the disk. */
export interface FilesAnew {
  /** Puts them there: durable with the layer's folder. */
  take(): void;
  /** Deletes those that were not put there. */
  discard(): void;
}

/**
 * Writes what a layer says of its place among others once more, beside the store. What `create` wrote without a flush
 * may have failed to reach the disk, and whoever else flushed was told; of these files the next flush tells.
 *
 * They are other files, since ext4 does not count blocks as written whose first write has failed, whatever is written
 * there later: the text would be there until the kernel forgets it, and zeros after. Seen on Linux 6.18.
 */
export function writeAnew(home: string, id: string): FilesAnew {
  const staged = new Map<string, string>();
  const discard = (): void => {
    for (const path of staged.keys()) rmSync(`${home}/${path}`, { force: true });
  };
  try {
    for (const name of ["link", "lower"]) {
      const text = readIfThere(`${home}/${id}/${name}`);
      if (text === undefined) continue;
      const path = stagingPath(uniqueName());
      staged.set(path, `${id}/${name}`);
      writeFileSync(`${home}/${path}`, text, { flag: "wx", mode: 0o644 });
    }
  } catch (error) {
    throw takeBack(error, discard);
  }
  const take = (): void =>
    withFolderAt(home, (folder) => {
      for (const [path, own] of staged) renameAcrossProjects(folder, path, folder, own);
    });
  return { take, discard };
}
