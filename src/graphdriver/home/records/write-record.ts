import { writeFileSync } from "node:fs";
import { withFolder } from "../../../layer/index.ts";
import {
  close,
  fsync,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  symlinkat,
  tryUnlinkat,
} from "../../../syscall/index.ts";
import { stagingPath, uniqueName } from "../folders/home.ts";
import { renameAcrossProjects } from "../folders/rename-across-projects.ts";

/** Puts a small file into a folder of an open home in one step, durably, in the place of whatever file is there. */
export function writeRecord(home: number, folder: string, name: string, text: string, mode: number): void {
  const staged = stagingPath(uniqueName());
  const descriptor = openat(home, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  moveInto(home, staged, folder, name, () => {
    try {
      writeFileSync(descriptor, text); // all of it, however little the disk takes at once
      fsync(descriptor);
    } finally {
      close(descriptor);
    }
  });
}

/** The same for a symlink. */
export function writeLink(home: number, folder: string, name: string, target: string): void {
  const staged = stagingPath(uniqueName());
  symlinkat(target, home, staged);
  moveInto(home, staged, folder, name);
}

/** What is staged when something fails, as on a full disk, does not stay. */
function moveInto(home: number, staged: string, folder: string, name: string, fill = (): void => {}): void {
  try {
    fill();
    withFolder(home, folder, (opened) => {
      renameAcrossProjects(home, staged, opened, name);
      fsync(opened);
    });
  } catch (error) {
    tryUnlinkat(home, staged);
    throw error;
  }
}
