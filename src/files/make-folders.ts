import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder with those above it that are missing; one that is there is success. Resolves to the first that was
 * made, as the beginning of what is given, `undefined` where none was. `..` is the kernel's to follow, as it does in
 * whatever is done there next. `mode` is theirs, less the process's umask; default 0777.
 *
 * Each is tried once after the one above it: Node's own `recursive` tries for ever where a file system says of a folder
 * that is there that it is not, as `/proc` does when one is made in it (Node v20.19 `src/node_file.cc` `MKDirpAsync`).
 * @throws the system's error: EEXIST where the path is something else, ENOENT where nothing can be made.
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<string | undefined> {
  const error = await tryToMake(folder, mode);
  if (error === undefined) return folder;
  if (error === "there") return undefined;
  const parent = dirname(folder);
  if (error.code !== "ENOENT" || parent === folder) throw error;
  const first = await makeFolders(parent, mode);
  const again = await tryToMake(folder, mode);
  if (again !== undefined && again !== "there") throw again;
  return again === "there" ? first : (first ?? folder);
}

async function tryToMake(folder: string, mode: number): Promise<NodeJS.ErrnoException | "there" | undefined> {
  try {
    await mkdir(folder, { mode });
    return undefined;
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    const isThere = failure.code === "EEXIST" && (await stat(folder).catch(() => undefined))?.isDirectory() === true;
    return isThere ? "there" : failure;
  }
}
