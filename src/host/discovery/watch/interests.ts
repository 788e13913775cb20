import { realpath } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { isSystemError } from "../../../errors/index.ts";
import type { FoundPlugin, UnusablePlugin } from "../look-up/found-plugin.ts";

/** Which entries of a folder are of interest. */
export type Interest = "all" | ReadonlySet<string>;

/**
 * The folders whose changes may change what is found. Of `folders` that is everything; of sockets and linked files that
 * stand elsewhere, and of every folder on the way to all those, one entry: so that they are seen when they are made,
 * replaced or moved away.
 */
export async function interestsOf(
  folders: readonly string[],
  plugins: readonly (FoundPlugin | UnusablePlugin)[],
): Promise<ReadonlyMap<string, Interest>> {
  const elsewhere = await Promise.all(plugins.map((plugin) => filesBehind(plugin)));
  const interests = new Map<string, Set<string>>();
  for (const path of [...folders, ...elsewhere.flat()]) {
    for (let child = resolve(path); dirname(child) !== child; child = dirname(child)) {
      const siblings = interests.get(dirname(child)) ?? new Set();
      interests.set(dirname(child), siblings.add(basename(child)));
    }
  }
  return new Map<string, Interest>([...interests, ...folders.map((folder) => [folder, "all"] as const)]);
}

async function filesBehind(plugin: FoundPlugin | UnusablePlugin): Promise<string[]> {
  const dialled = "address" in plugin && "unix" in plugin.address ? [plugin.address.unix] : [];
  return [await realPathOf(plugin.path), ...dialled];
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isSystemError(error)) return path;
    throw error;
  }
}
