import { randomUUID } from "node:crypto";
import { constants, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { namePrefix } from "./context.ts";

/** A small file in a volume; it goes when it is disposed of. */
export interface CheckedFile extends AsyncDisposable {
  readonly name: string;
}

/**
 * Writes a file that was not there, under a name that nobody knows before: a plugin that puts a link in its way has
 * nothing of the host's overwritten.
 */
export async function writeChecked(folder: string, text: string): Promise<CheckedFile> {
  const name = `${namePrefix}${randomUUID()}`;
  const path = join(folder, name);
  await using file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  await file.writeFile(text);
  return { name, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Longer than any text of a check. */
const maxBytes = 64;

/** What a file begins with. Follows no link, waits for no pipe, and reads no device to its end. */
export async function readChecked(folder: string, name: string): Promise<string> {
  await using file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, null);
  return buffer.toString("utf8", 0, bytesRead);
}
