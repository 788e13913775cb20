import type { Locations } from "../../../transport/index.ts";
import { candidatesOf } from "./candidates.ts";
import type { FoundPlugin, UnusablePlugin } from "./found-plugin.ts";
import { lookUp } from "./look-up.ts";

/** Each look-up may hold four files open. */
const lookUpsAtOnce = 16;

/** Looks up every one of `names`, in that order, as `find` does; those that have gone meanwhile are left out. */
export async function lookUpAll(
  locations: Locations,
  names: readonly string[],
): Promise<(FoundPlugin | UnusablePlugin)[]> {
  const plugins: (FoundPlugin | UnusablePlugin | undefined)[] = [];
  const rest = names.entries();
  const work = async () => {
    for (const [index, name] of rest) {
      const { plugin, hidden } = await lookUp(name, candidatesOf(locations, name));
      plugins[index] = plugin ?? (hidden && { name, ...hidden });
    }
  };
  await Promise.all(Array.from({ length: lookUpsAtOnce }, work));
  return plugins.filter((plugin) => plugin !== undefined);
}
