import { PluginNotFoundError } from "../../../errors/index.ts";
import { assertPluginName } from "../../../protocol/index.ts";
import type { Locations } from "../../../transport/index.ts";
import { candidatesOf } from "./candidates.ts";
import type { FoundPlugin } from "./found-plugin.ts";
import { lookUp } from "./look-up.ts";

/** `Discovery.pathsOf` */
export function pathsOf(locations: Locations, name: string): string[] {
  assertPluginName(name);
  return candidatesOf(locations, name).map(({ path }) => path);
}

/** `Discovery.find` */
export async function find(locations: Locations, name: string): Promise<FoundPlugin> {
  const pathsTried = pathsOf(locations, name);
  const { plugin, hidden } = await lookUp(name, candidatesOf(locations, name));
  if (plugin === undefined) throw hidden?.error ?? new PluginNotFoundError(name, pathsTried);
  if ("error" in plugin) throw plugin.error;
  return plugin;
}
