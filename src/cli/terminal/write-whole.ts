import { type FileHandle, realpath, stat, writeFile } from "node:fs/promises";
import { isSystemError, toCleatError } from "../../errors/index.ts";
import { replaceFile } from "../../files/index.ts";

/**
 * Writes a file beside its place and renames it there, so that nobody reads a half of it. Symlinks are followed; a
 * pipe, a terminal or a device is written to and stays: root must not put a file in the place of `/dev/null`.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const fill = (file: FileHandle): Promise<void> => file.writeFile(text);
  try {
    const status = await statIfThere(path);
    if (status === undefined || status.isDirectory()) await replaceFile(path, fill, { durable: false });
    else if (status.isFile()) await replaceFile(await realpath(path), fill, { durable: false });
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
