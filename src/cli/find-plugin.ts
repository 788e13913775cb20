import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isSystemError, TransportError } from "../errors/index.ts";
import { assertPluginName } from "../protocol/index.ts";
import { type Address, parseAddress } from "../transport/index.ts";
import { orUsageError, type Surroundings } from "./command.ts";
import { socketFolders, specFolders } from "./default-folders.ts";

/**
 * Where a plugin listens: `text` is an address, a socket's path (with a slash in it) or a name, which is looked up
 * where engines do.
 * @throws TransportError when nothing has that name; it lists where it looked.
 */
export async function findPlugin(text: string, surroundings: Surroundings): Promise<Address> {
  if (text.includes("://")) return orUsageError(() => parseAddress(text));
  if (text.includes("/")) return { unix: resolve(text) };
  orUsageError(() => assertPluginName(text));
  const sockets = socketFolders(surroundings).flatMap((folder) => nested(folder, text, ".sock"));
  for (const path of sockets) if (await isSocket(path)) return { unix: path };
  const specs = specFolders(surroundings).flatMap((folder) => nested(folder, text, ".spec"));
  for (const path of specs) {
    const content = await readIfThere(path);
    if (content !== undefined) return parseAddress(content.trim());
  }
  const looked = [...sockets, ...specs].join(", ");
  throw new TransportError("NOT_FOUND", `there is no plugin "${text}": looked for ${looked}`, { reachedPeer: false });
}

function nested(folder: string, name: string, suffix: string): string[] {
  return [`${folder}/${name}${suffix}`, `${folder}/${name}/${name}${suffix}`];
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES")) return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}
