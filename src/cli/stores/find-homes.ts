import { opendir, readdir, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CleatError, isSystemError, SchemaError, toCleatError } from "../../errors/index.ts";
import { readInitRecord, recognizeHome } from "../../graphdriver/index.ts";
import type { CommandContext } from "../terminal/command.ts";
import { defaultRoot, defaultSnapshotterRoot } from "../terminal/default-folders.ts";

/**
 * The stores that a user means: the folder named, if it is one, or those in it (Docker's data root, Cleat's own);
 * without a name those of Cleat's own roots, the snapshotter's too, and those that engines gave to its plugins, as
 * their last `Init` tells.
 * @throws NOT_FOUND when what is named is not there, or holds none.
 * @throws FAILED_PRECONDITION when it is not a folder, PERMISSION_DENIED when it may not be read.
 */
export async function findHomes(
  named: string | undefined,
  driver: string | undefined,
  context: CommandContext,
): Promise<string[]> {
  if (named === undefined) return findOwnHomes(context);
  const folder = resolve(named);
  await assertFolder(folder);
  if (driver !== undefined || recognizeHome(folder) !== undefined) return [folder];
  const found = await findHomesIn(folder);
  if (found.length > 0) return found;
  throw new CleatError("NOT_FOUND", `folder ${JSON.stringify(folder)} is not a store of a driver, and holds none`);
}

async function assertFolder(path: string): Promise<void> {
  const subject = `folder ${JSON.stringify(path)}`;
  try {
    const folder = await opendir(path);
    await folder.close();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) throw new CleatError("NOT_FOUND", `${subject} does not exist`);
    if (isSystemError(error, "ENOTDIR"))
      throw new CleatError("FAILED_PRECONDITION", `path ${JSON.stringify(path)} is not a folder`);
    throw toCleatError(error, subject);
  }
}

async function findOwnHomes(context: CommandContext): Promise<string[]> {
  const root = defaultRoot(context);
  const snapshotters = [defaultSnapshotterRoot(context)].filter((home) => recognizeHome(home) !== undefined);
  const homes = [...(await findHomesIn(root)), ...(await findServedHomes(join(root, "state"))), ...snapshotters];
  const resolved = await Promise.all(homes.map((home) => realpath(home)));
  return [...new Set(resolved)].toSorted();
}

/** `ROOT/<driver>` as Docker and `openDriver` have it, `ROOT/layers/<plugin>` as `cleat serve graph` has it. */
async function findHomesIn(root: string): Promise<string[]> {
  const folders = [...(await foldersIn(root)), ...(await foldersIn(join(root, "layers")))];
  return folders.filter((folder) => recognizeHome(folder) !== undefined).toSorted();
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }));
  return (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

async function findServedHomes(stateFolder: string): Promise<string[]> {
  const files = (await unlessMissing(readdir(stateFolder))) ?? [];
  const homes: string[] = [];
  for (const file of files.filter((name) => name.endsWith(".json"))) {
    try {
      const record = readInitRecord(join(stateFolder, file));
      if (record !== undefined) homes.push(record.home ?? record.init.Home);
    } catch (error) {
      // A record that is damaged, of another version, or no file at all, tells of no home.
      if (!(error instanceof SchemaError) && !isSystemError(error)) throw error;
    }
  }
  return homes.filter((home) => recognizeHome(home) !== undefined);
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
