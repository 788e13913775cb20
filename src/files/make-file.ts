import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "./sync-folder.ts";

/**
 * Makes a file where nothing is, durably; after an error there is none.
 * @throws the system's error: EEXIST where something is there, which stays.
 */
export async function makeFile(
  path: string,
  fill: (file: FileHandle) => Promise<unknown>,
  mode: number,
): Promise<void> {
  await using file = await open(path, "wx", mode);
  try {
    await fill(file);
    await file.sync();
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
