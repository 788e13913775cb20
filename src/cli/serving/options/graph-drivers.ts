import { toCleatError } from "../../../errors/index.ts";
import {
  type DriverOptionTable,
  type GraphDriverFactory,
  type HomeDoor,
  readDriverOptions,
} from "../../../graphdriver/index.ts";
import {
  assertDriverWorks,
  builtInFactories,
  createAutomaticDriver,
  createDriverRegistry,
  decideDriver,
  type DriverDecision,
  type DriverRegistry,
} from "../../../selection/index.ts";
import type { Logger } from "../../../transport/index.ts";
import { orUsageError, UsageError } from "../../terminal/command.ts";
import { quote, suggest } from "../../terminal/command-line.ts";
import { findNearest } from "../../terminal/nearest.ts";
import { formatTable } from "../../terminal/table.ts";

/** A driver to serve, and what a user is told about it. */
export interface DriverChoice {
  readonly factory: GraphDriverFactory;
  /** "overlay2"; with `auto` what would be chosen for the folder that was looked at. */
  readonly driverName: string;
  /** Of the driver of that name. */
  readonly store: GraphDriverFactory["store"];
  /** Why it is not a better one, and what it costs. */
  readonly note: string | undefined;
}

/** What a command line says of a driver. */
export interface DriverWish {
  readonly driver: string;
  /** Where layers are to be kept whatever an engine says; without it only the engine's `Init` tells, some time. */
  readonly home: string | undefined;
  /** Who is to keep layers there; default an engine of Docker's protocol. */
  readonly door?: HomeDoor | undefined;
  /** What is looked at without a home. */
  readonly root: string;
  /** `key=value`, each. */
  readonly options: readonly string[];
}

/**
 * The driver that `--driver` names. `auto` is decided anew for each home; that of the folder is decided on now, to tell
 * the user. What cannot work in the home, or is no option of the driver, is refused now and not when an engine calls.
 * @throws UsageError when no built-in driver has the name, as a plugin is served by whoever made it, or none has the
 * options.
 * @throws what `assertDriverWorks` or `decideDriver` throw.
 */
export async function selectDriver(wish: DriverWish, logger: Logger): Promise<DriverChoice> {
  const registry = createDriverRegistry(builtInFactories);
  if (wish.driver !== "auto") return named(wish, registry);
  const factory = createAutomaticDriver(registry, (decision) => logDecision(decision, registry, logger));
  const folder = wish.home ?? wish.root;
  const decision = await decideDriver({ home: folder }, registry);
  const [driverName] = decision.choices;
  if (driverName === undefined) throw decision.refusal ?? new UsageError(`no driver works in "${folder}"`);
  const chosen = registry.find(driverName);
  await checkOptions(wish, wish.home === undefined ? factory : (chosen ?? factory));
  return { factory, driverName, store: chosen?.store, note: noteOn(driverName, decision, registry) };
}

async function named(wish: DriverWish, registry: DriverRegistry): Promise<DriverChoice> {
  const { driver, home, root, door } = wish;
  const factory = registry.find(driver);
  if (factory === undefined) {
    const names = [...registry.names, "auto"];
    const known = `there are ${registry.names.join(", ")} and auto`;
    throw new UsageError(`there is no driver ${quote(driver)}; ${known}${suggest(findNearest(driver, names))}`);
  }
  await checkOptions(wish, factory);
  if (home !== undefined) await assertDriverWorks(factory, home, { door });
  const obstacle = home === undefined ? await assertDriverWorks(factory, root).catch(toCleatError) : undefined;
  const notes = [obstacle?.message, costOf(factory)].filter((note) => note !== undefined);
  return { factory, driverName: driver, store: factory.store, note: notes.length === 0 ? undefined : notes.join("; ") };
}

async function checkOptions({ options }: DriverWish, { name, options: table }: GraphDriverFactory): Promise<void> {
  if (table !== undefined) orUsageError(() => readDriverOptions(name, { options }, table));
}

/** The options of all drivers, in lines for `--help`: those that all have, and then each one's own. */
export async function formatDriverOptions(): Promise<string[]> {
  const tables = builtInFactories.map(({ name, options = {} }) => ({ name, options }));
  const isCommon = (key: string) => tables.every(({ options }) => Object.hasOwn(options, key));
  const section = (title: string, options: DriverOptionTable, keys: readonly string[]) => {
    const rows = keys.map((key) => [`${key}=${options[key]?.value}`, options[key]?.help ?? ""] as const);
    return rows.length === 0 ? [] : ["", title, ...formatTable(rows, "  ")];
  };
  const [first] = tables;
  return [
    ...section("--opt of every driver:", first?.options ?? {}, Object.keys(first?.options ?? {}).filter(isCommon)),
    ...tables.flatMap(({ name, options }) => {
      const own = Object.keys(options).filter((key) => !isCommon(key));
      return section(`--opt of ${name}:`, options, own);
    }),
  ];
}

function costOf(factory: GraphDriverFactory | undefined): string | undefined {
  return factory?.cost && `${factory.name} ${factory.cost}`;
}

function noteOn(
  driverName: string,
  { prior, candidates }: DriverDecision,
  registry: DriverRegistry,
): string | undefined {
  const [best] = candidates;
  const notes = [
    prior.length > 0 ? "its layers are there" : best?.driver === driverName ? undefined : best?.obstacle?.message,
    costOf(registry.find(driverName)),
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? undefined : notes.join("; ");
}

function logDecision(decision: DriverDecision, registry: DriverRegistry, logger: Logger): void {
  const [driver] = decision.choices;
  const { folder, fileSystem, prior } = decision;
  if (driver === undefined) return; // the refusal is an error of its own
  logger.info({ driver, folder, fileSystem, prior, note: noteOn(driver, decision, registry) }, "graph driver chosen");
}
