import { decideDriver, type DriverDecision } from "./decision.ts";
import type { GraphDriverFactory } from "../graphdriver/index.ts";
import { openDecided } from "./open-driver.ts";
import type { DriverRegistry } from "./registry.ts";

/**
 * A driver that decides anew for each home which one it is: what an engine's plugin opens when its operator names none.
 * `tell` hears each decision before it is carried out. Its options are those of all;
 * what the driver that is chosen does not know, it refuses.
 */
export function createAutomaticDriver(
  registry: DriverRegistry,
  tell: (decision: DriverDecision) => void = () => {},
): GraphDriverFactory {
  return {
    name: "auto",
    options: Object.fromEntries(registry.names.flatMap((name) => Object.entries(registry.find(name)?.options ?? {}))),
    async open(options) {
      const decision = await decideDriver({ home: options.home }, registry);
      tell(decision);
      return openDecided(decision, registry, () => options);
    },
  };
}
