import { constants, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../../errors/index.ts";
import { replaceFile, syncFolder } from "../../files/index.ts";

/**
 * Writes a file durably: after a crash at any point there is all of the old content or all of the new. Costs two
 * `fsync`s.
 */
export async function writeWholeFile(path: string, content: string, mode: number): Promise<void> {
  await replaceFile(path, (file) => file.writeFile(content), { mode });
}

/** Removes a file durably; one that is not there is removed already. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

/** Empty where something else than a file has the name: nothing is waited for. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return (await file.stat()).isFile() ? await file.readFile("utf8") : "";
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
