import { type LayerStore, openStore } from "../../layerstore/index.ts";
import { builtInFactories } from "../../selection/index.ts";
import { type CommandContext, orUsageError, UsageError } from "../terminal/command.ts";
import { formatFailure } from "../terminal/format-failure.ts";
import { absolute } from "../serving/options/listen-options.ts";
import { findHomes } from "./find-homes.ts";

/** Options of commands that look into stores. */
export const storeOptions = {
  driver: { type: "string", value: "DRIVER", help: "whose store HOME is; default what its layout says" },
  "engine-root": { type: "string", value: "PATH", help: "the engine's data root; default the folder that HOME is in" },
} as const;

/**
 * Has each store of the command line visited, one after another, and closed. Of several one that cannot be looked at is
 * told on stderr and does not keep the others from it: `false` then.
 * @throws whatever `visit` does, of a store that is the only one.
 */
export async function visitStores(
  command: string,
  operands: readonly string[],
  values: { readonly driver?: string; readonly "engine-root"?: string },
  context: CommandContext,
  visit: (store: LayerStore) => Promise<void>,
): Promise<boolean> {
  const [home] = operands;
  if (home === "") throw new UsageError(`${command} takes a path, not ""`);
  const { driver, "engine-root": engine } = values;
  const engineRoot = engine === undefined ? undefined : absolute("engine-root", engine);
  const homes = await findHomes(home, driver, context);
  if (homes.length === 0) context.stderr.write("cleat: Cleat keeps no layers here; name a HOME, as /var/lib/docker\n");
  const open = (path: string): LayerStore => openStore({ home: path, drivers: builtInFactories, driver, engineRoot });
  let isComplete = true;
  for (const path of homes) {
    try {
      await using store = driver === undefined ? open(path) : orUsageError(() => open(path));
      await visit(store);
    } catch (error) {
      if (homes.length === 1 || error instanceof UsageError) throw error;
      context.stderr.write(formatFailure(error));
      isComplete = false;
    }
  }
  return isComplete;
}
