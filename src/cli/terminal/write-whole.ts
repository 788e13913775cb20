import { type FileHandle, open, readlink, realpath, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isSystemError, toCleatError } from "../../errors/index.ts";
import { replaceFile, type ReplaceFileOptions } from "../../files/index.ts";

/** Writes a text as `fillWhole` does. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await fillWhole(path, (file) => writeFile(file, text), { durable: false });
}

/**
 * Writes a file beside its place and renames it there, so that nobody reads a half of it. Symlinks are followed; a
 * pipe, a terminal or a device is written to and stays: root must not put a file in the place of `/dev/null`.
 */
export async function fillWhole(
  path: string,
  fill: (file: FileHandle) => Promise<void>,
  options: ReplaceFileOptions,
): Promise<void> {
  try {
    const status = await statIfThere(path);
    if (status === undefined || status.isFile() || status.isDirectory()) {
      return await replaceFile(await placeOf(path), fill, options);
    }
    await using file = await open(path, "w");
    await fill(file);
  } catch (error) {
    throw toCleatError(error, `file ${JSON.stringify(path)}`);
  }
}

/** Where a file of that name would be, also at the end of symlinks to what is not there yet. */
async function placeOf(path: string): Promise<string> {
  const place = join(await realpath(dirname(resolve(path))), basename(path));
  const target = await readlink(place).catch((error: unknown) => {
    if (!isSystemError(error, "EINVAL", "ENOENT")) throw error; // no symlink
  });
  return target === undefined ? place : await placeOf(resolve(dirname(place), target));
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
