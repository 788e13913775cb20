import { randomUUID } from "node:crypto";
import { realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { isSystemError, toCleatError } from "../../errors/index.ts";

/**
 * Writes a file beside its place and renames it there, so that nobody reads a half of it. Symlinks are followed; a
 * pipe, a terminal or a device is written to and stays: root must not put a file in the place of `/dev/null`.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  try {
    const status = await statIfThere(path);
    if (status === undefined || status.isDirectory()) await replaceFile(path, text);
    else if (status.isFile()) await replaceFile(await realpath(path), text);
    else await writeFile(path, text);
  } catch (error) {
    throw toCleatError(error, `file ${JSON.stringify(path)}`);
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  try {
    await writeFile(beside, text, { flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
