import type { LayerStore } from "../graphdriver/index.ts";
import { orUsageError, type Surroundings, UsageError } from "./command.ts";
import { findHomes } from "./find-homes.ts";
import { absolute } from "./listen-options.ts";

/** Options of commands that look into stores. */
export const storeOptions = {
  driver: { type: "string", value: "DRIVER", help: "whose store HOME is; default what its layout says" },
  "engine-root": { type: "string", value: "PATH", help: "the engine's data root; default the folder that HOME is in" },
} as const;

/** Those of the command line, one after another; each is closed when the next is asked for. */
export async function* openStores(
  command: string,
  operands: readonly string[],
  values: { readonly driver?: string; readonly "engine-root"?: string },
  surroundings: Surroundings,
): AsyncGenerator<LayerStore> {
  const [home, ...more] = operands;
  if (more.length > 0) throw new UsageError(`${command} takes one HOME, not "${operands.join(" ")}"`);
  const { driver, "engine-root": engine } = values;
  const engineRoot = engine === undefined ? undefined : absolute("engine-root", engine);
  const { builtInFactories, openStore } = await import("../graphdriver/index.ts");
  const homes = await findHomes(home, driver, surroundings);
  if (homes.length === 0) surroundings.stderr.write("cleat: there are no stores\n");
  for (const path of homes) {
    await using store = orUsageError(() => openStore({ home: path, drivers: builtInFactories, driver, engineRoot }));
    yield store;
  }
}
