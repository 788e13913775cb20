import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { isSystemError, toCleatError } from "../../../errors/index.ts";
import { pluginNamePattern } from "../../../protocol/index.ts";
import type { Locations } from "../../../transport/index.ts";
import { type Candidate, extensionOf } from "./candidates.ts";
import { isNothingThere } from "./look-up.ts";

/** What stands in the folders of `locations`. */
export interface Listing {
  /** Of which some file tells; `find` decides what that is. Sorted, each once. */
  readonly names: readonly string[];
  /** Those in which a plugin's file may stand, whether one does or not. */
  readonly nestedFolders: readonly string[];
}

/**
 * Lists the names of which a file tells. A symbolic link to a socket does not, as it is but another name for a plugin;
 * one to a spec file does. Links to folders are not followed.
 * @throws RESOURCE_EXHAUSTED when the process may open no more files.
 * Source: moby v20.10.24 `pkg/plugins/discovery.go`, `Scan`.
 */
export async function listNames(
  { sockets, specs }: Locations,
  onUnreadable: (folder: string, error: Error) => void,
): Promise<Listing> {
  const names = new Set<string>();
  const nestedFolders = new Set<string>();

  const list = async (folder: string, kinds: readonly Candidate["kind"][]) => {
    for (const entry of await entriesOf(folder, onUnreadable)) {
      if (entry.isDirectory() && pluginNamePattern.test(entry.name)) {
        const nested = join(folder, entry.name);
        nestedFolders.add(nested);
        for (const kind of kinds) {
          const path = join(nested, entry.name + extensionOf[kind]);
          if (await stands(kind, path, (error) => onUnreadable(nested, error))) names.add(entry.name);
        }
      } else {
        const kind = kinds.find((each) => extensionOf[each] === extname(entry.name));
        const name = entry.name.slice(0, -extname(entry.name).length);
        const tells = kind === "socket" ? entry.isSocket() : kind !== undefined && !entry.isDirectory();
        if (tells && pluginNamePattern.test(name)) names.add(name);
      }
    }
  };
  for (const folder of sockets) await list(folder, ["socket"]);
  for (const folder of specs) await list(folder, ["spec", "json"]);
  return { names: [...names].toSorted(), nestedFolders: [...nestedFolders] };
}

async function entriesOf(folder: string, onUnreadable: (folder: string, error: Error) => void): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Not the folder's fault: its plugins have not gone.
    if (isSystemError(error, "EMFILE", "ENFILE", "ENOMEM")) throw toCleatError(error, `folder "${folder}"`);
    if (!isNothingThere(error)) onUnreadable(folder, error);
    return [];
  }
}

async function stands(kind: Candidate["kind"], path: string, onUnreadable: (error: Error) => void): Promise<boolean> {
  try {
    const stats = await stat(path);
    return kind === "socket" ? stats.isSocket() : !stats.isDirectory();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (!isNothingThere(error)) onUnreadable(error);
    return false;
  }
}
