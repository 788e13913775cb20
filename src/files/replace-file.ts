import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncFolder } from "./sync-folder.ts";

export interface ReplaceFileOptions {
  /** Of a new file, which the umask may narrow. Default 0666. */
  readonly mode?: number;
  /** Whether it survives power loss, at the price of two `fsync`s. Default true. */
  readonly durable?: boolean;
  /** Looks at what is about to be put in the file's place, in the same folder; an error of its leaves that as it is. */
  readonly check?: (stagedPath: string) => Promise<void>;
}

/**
 * Puts a new file in the place of `path`, or where nothing is: whoever reads it finds all of the old content or all of
 * the new, and so does, unless it is told otherwise, who reads it after a crash at any point. `fill` writes the
 * content; after an error of its nothing has changed. A symlink at `path` is replaced, not followed.
 */
export async function replaceFile(
  path: string,
  fill: (file: FileHandle) => Promise<unknown>,
  { mode = 0o666, durable = true, check }: ReplaceFileOptions = {},
): Promise<void> {
  const staged = join(dirname(path), `${stagedPrefix(path)}${randomUUID()}.tmp`);
  try {
    {
      await using file = await open(staged, "wx", mode);
      await fill(file);
      if (durable) await file.sync();
    }
    await check?.(staged);
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw ofFile(error, staged, path);
  }
  if (durable) await syncFolder(dirname(path));
}

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

/** An error of the kernel's names the file that the caller knows, and not the one that was to take its place. */
function ofFile(error: unknown, staged: string, path: string): unknown {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).path !== staged) return error;
  const message = error.message.replace(`'${staged}' -> `, "").replace(staged, () => path);
  return Object.assign(error, { message, path });
}

/** Whether `name`, in the folder of `path`, is what a call fills for it, or one that was killed has left. */
export function isStagedFor(path: string, name: string): boolean {
  const prefix = stagedPrefix(path);
  return name.startsWith(prefix) && stagedEnd.test(name.slice(prefix.length));
}

const stagedPrefix = (path: string): string => `.${basename(path)}.`;
const stagedEnd = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;
