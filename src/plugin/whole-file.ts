import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../errors/index.ts";

/**
 * Writes a file durably: after a crash at any point there is all of the old content or all of the new. Costs two
 * `fsync`s.
 */
export async function writeWholeFile(path: string, content: string, mode: number): Promise<void> {
  const staged = `${path}.${randomUUID()}.tmp`;
  try {
    await using file = await open(staged, "wx", mode);
    await file.writeFile(content);
    await file.sync();
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes a file durably; one that is not there is removed already. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
