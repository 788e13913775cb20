import type { Decision, DriverRegistry, GraphDriverFactory } from "../graphdriver/index.ts";
import type { Logger } from "../transport/index.ts";
import { UsageError } from "./command.ts";

/** A driver to serve, and what a user is told about it. */
export interface DriverChoice {
  readonly factory: GraphDriverFactory;
  /** "overlay2"; with `auto` what would be chosen for the folder that was looked at. */
  readonly driverName: string;
  /** Why it is not a better one, and what it costs. */
  readonly note: string | undefined;
}

const costs: Readonly<Record<string, string>> = {
  vfs: "vfs copies every layer in full (reflinks where the file system has them)",
};

/**
 * The driver that `--driver` names. `auto` is decided anew for each home; `folder` is decided on now, to tell the user.
 * @throws UsageError when no built-in driver has the name: a plugin is served by whoever made it.
 */
export async function selectDriver(name: string, folder: string, logger: Logger): Promise<DriverChoice> {
  const { builtInFactories, createAutomaticDriver, createDriverRegistry, decide } =
    await import("../graphdriver/index.ts");
  const registry = createDriverRegistry(builtInFactories);
  if (name !== "auto") return named(name, registry);
  const factory = createAutomaticDriver(registry, (decision) => logDecision(decision, logger));
  const decision = await decide({ home: folder }, registry);
  const [driverName] = decision.choices;
  if (driverName === undefined) throw decision.refusal ?? new UsageError(`no driver works in "${folder}"`);
  return { factory, driverName, note: noteOn(driverName, decision) };
}

function named(name: string, registry: DriverRegistry): DriverChoice {
  const factory = registry.find(name);
  if (factory === undefined) {
    throw new UsageError(`there is no driver "${name}"; there are ${registry.names.join(", ")} and auto`);
  }
  return { factory, driverName: name, note: costs[name] };
}

function noteOn(driverName: string, { prior, candidates }: Decision): string | undefined {
  const [best] = candidates;
  const notes = [
    prior.length > 0 ? "its layers are there" : best?.driver === driverName ? undefined : best?.obstacle?.message,
    costs[driverName],
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? undefined : notes.join("; ");
}

function logDecision(decision: Decision, logger: Logger): void {
  const [driver] = decision.choices;
  const { folder, fileSystem, prior } = decision;
  if (driver === undefined) return; // the refusal is an error of its own
  logger.info({ driver, folder, fileSystem, prior, note: noteOn(driver, decision) }, "graph driver chosen");
}
