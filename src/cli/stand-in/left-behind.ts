import type { Stats } from "node:fs";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { probeListener } from "../../plugin/index.ts";
import { ownName, pluginName } from "./guardian.ts";

export const folderPrefix = ".t-";

/**
 * Makes sure that nobody stands in for the socket at `path`: two that did would end in each other's way. What is left
 * of one that was killed together with its guardian, as systemd kills all of a unit, is put right.
 * @throws FAILED_PRECONDITION when somebody does.
 */
export async function assertNotStoodInFor(path: string): Promise<void> {
  const folder = await findStandInAt(path);
  if (folder === undefined) return;
  if ((await probeListener({ path })) !== "nobody") {
    throw new CleatError("FAILED_PRECONDITION", `socket "${path}" is being traced already`);
  }
  const plugin = join(folder, pluginName);
  await ((await lstatIfThere(plugin)) === undefined ? rm(path) : rename(plugin, path));
  await rm(folder, { recursive: true, force: true });
}

/** The folder of who stands, or stood, in for the socket at `path`. */
export async function findStandInAt(path: string): Promise<string | undefined> {
  const found = await lstatIfThere(path);
  if (found === undefined) return undefined;
  for (const folder of await foldersBeside(path)) {
    const own = await lstatIfThere(join(folder, ownName));
    if (own?.ino === found.ino && own.dev === found.dev) return folder;
  }
  return undefined;
}

async function foldersBeside(path: string): Promise<string[]> {
  const parent = dirname(path);
  try {
    const names = await readdir(parent);
    return names.filter((name) => name.startsWith(folderPrefix)).map((name) => join(parent, name));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw toCleatError(error, `folder "${parent}"`);
  }
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw toCleatError(error, `path "${path}"`);
  }
}
