import { resolve } from "node:path";
import { type Locations, type Logger, silentLogger } from "../../transport/index.ts";
import { find, pathsOf } from "./look-up/find.ts";
import type { FoundPlugin, PluginChange, UnusablePlugin } from "./look-up/found-plugin.ts";
import { listNames } from "./look-up/list-names.ts";
import { lookUpAll } from "./look-up/look-up-all.ts";
import { watchPlugins } from "./watch/watch.ts";

export interface Discovery {
  readonly locations: Locations;

  /**
   * The paths that `find` looks at, in the order of precedence.
   * @throws INVALID_ARGUMENT when `name` may name no plugin.
   */
  pathsOf(name: string): readonly string[];

  /**
   * Looks a plugin up by name, as engines do: sockets before spec files; symbolic links are followed. The first file
   * decides, also when it is of no use.
   * @throws PluginNotFoundError (NOT_FOUND) with the paths tried.
   * @throws TransportError (PERMISSION_DENIED, mostly) when none was found and some of the paths may not be looked at.
   * @throws INVALID_ARGUMENT when its spec file is not one, or names a file that is of no use.
   * @throws PERMISSION_DENIED when that may not be read.
   * @throws RESOURCE_EXHAUSTED when the process may open no more files.
   */
  find(name: string): Promise<FoundPlugin>;

  /**
   * Every plugin of which a file tells, by name, sorted: what `find` would find, and why it would not. A symbolic link
   * to a socket tells of none. One that is broken breaks no other; folders that may not be read are logged.
   * @throws RESOURCE_EXHAUSTED when the process may open no more files.
   */
  scan(): Promise<readonly (FoundPlugin | UnusablePlugin)[]>;

  /**
   * Tells of plugins as they come, change and go, beginning with those that are there. Ends when `signal` aborts, or
   * the loop is left. Nothing is polled; folders that are not there yet are waited for. What happens to a plugin while
   * nobody asks for the next change becomes one change, or none when nothing has come of it. Iterations do not share
   * anything. Costs a scan whenever something happens, at most 50 a second, and one of the kernel's watches for each
   * folder. Not seen are mounts that cover a folder, and files of TLS that are written anew: `find` reads those.
   * @throws RESOURCE_EXHAUSTED (the iteration) when the kernel grants no more watches, or open files.
   */
  watch(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PluginChange>;
}

export interface DiscoveryOptions {
  /** Told of folders that may not be read, of each once. */
  readonly logger?: Logger | undefined;
}

/** Looks for plugins in `locations`. Keeps nothing of what it finds; needs no closing. */
export function createDiscovery(
  { sockets, specs }: Locations,
  { logger = silentLogger }: DiscoveryOptions = {},
): Discovery {
  const locations = { sockets: resolveEach(sockets), specs: resolveEach(specs) };
  const logged = new Set<string>();
  const logUnreadable = (folder: string, error: Error) => {
    if (logged.has(folder)) return;
    logged.add(folder);
    logger.warn({ folder, err: error }, "folder of plugins cannot be read");
  };
  return {
    locations,
    pathsOf: (name) => pathsOf(locations, name),
    find: (name) => find(locations, name),
    async scan() {
      const { names } = await listNames(locations, logUnreadable);
      return await lookUpAll(locations, names);
    },
    watch: ({ signal } = {}) => ({
      [Symbol.asyncIterator]: () => watchPlugins(locations, { signal, onUnreadable: logUnreadable }),
    }),
  };
}

function resolveEach(folders: readonly string[]): string[] {
  return [...new Set(folders.map((folder) => resolve(folder)))];
}
