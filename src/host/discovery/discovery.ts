import type { FoundPlugin, PluginChange, UnusablePlugin } from "./found-plugin.ts";
import type { Locations } from "./locations.ts";

export interface Discovery {
  readonly locations: Locations;

  /** The paths that `find` looks at, in the order of precedence. @throws INVALID_ARGUMENT when `name` may name no plugin. */
  pathsOf(name: string): readonly string[];

  /**
   * Looks a plugin up by name, as engines do: sockets before spec files; symbolic links are followed.
   * @throws PluginNotFoundError (NOT_FOUND) with the paths tried.
   * @throws INVALID_ARGUMENT when its spec file is not one, PERMISSION_DENIED when it may not be read.
   */
  find(name: string): Promise<FoundPlugin>;

  /** Every plugin that `find` would find, by name, sorted; of symbolic links to sockets none. One that is broken breaks no other. */
  scan(): Promise<readonly (FoundPlugin | UnusablePlugin)[]>;

  /**
   * Tells of plugins as they come, change and go, beginning with those that are there. Ends when `signal` aborts, or the
   * loop is left. Nothing is polled; folders that are not there yet are waited for.
   */
  watch(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PluginChange>;
}

/** Looks for plugins in `locations`. Keeps nothing; needs no closing. */
export function createDiscovery(locations: Locations): Discovery {
  throw new Error(`not written yet: ${locations.sockets.join()}`);
}
