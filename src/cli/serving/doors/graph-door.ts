import { join } from "node:path";
import {
  assertNotServed,
  createGraphDriverPlugin,
  optionsForHost,
  readInitRecord,
} from "../../../graphdriver/index.ts";
import { assertAddressFree, createStateFile, type Logger, serve, type ServedDriver } from "../../../plugin/index.ts";
import { assertPluginName } from "../../../protocol/index.ts";
import { type CommandOptions, orUsageError, type CommandContext } from "../../terminal/command.ts";
import { defaultRoot } from "../../terminal/default-folders.ts";
import { selectDriver } from "../options/graph-drivers.ts";
import {
  absolute,
  listenOptions,
  type ListenValues,
  readListenOptions,
  warnOfStrangers,
} from "../options/listen-options.ts";
import { type DriverValues, parseDurability } from "../options/serving-options.ts";
import { describeGraphDriver } from "./describe-serving.ts";
import type { Door } from "./door.ts";
import { drainTimeoutMs } from "./serve-doors.ts";

export const graphOptions = {
  name: { type: "string", value: "NAME", help: "what engines call the plugin; default cleat" },
  root: { type: "string", value: "PATH", help: "default /var/lib/cleat; for users ~/.local/share/cleat" },
  home: { type: "string", value: "PATH", help: "keep layers here, whatever the engine says" },
  ...listenOptions,
} as const satisfies CommandOptions;

export interface GraphValues extends DriverValues, ListenValues {
  readonly name?: string | undefined;
  readonly root?: string | undefined;
  readonly home?: string | undefined;
}

/**
 * Serves a graph driver over Docker's protocol, and `alongside` on the same socket, which is closed with it.
 * @throws what is wrong with options, address, driver or home; `alongside` stays open then.
 */
export async function openGraphDoor(
  values: GraphValues,
  context: CommandContext,
  logger: Logger,
  alongside: readonly ServedDriver[] = [],
): Promise<Door> {
  const { name = "cleat", driver: wished = "auto", opt = [] } = values;
  orUsageError(() => assertPluginName(name));
  const root = absolute("root", values.root ?? defaultRoot(context));
  const home = values.home === undefined ? undefined : absolute("home", values.home);
  const durability = parseDurability(values.durability);
  const listen = await readListenOptions(name, values, context);
  warnOfStrangers(listen, logger);
  await assertAddressFree(listen); // before anything is looked at that would be another plugin's
  const statePath = join(root, "state", `${name}.json`);
  const known = home ?? keptHome(statePath);
  if (known !== undefined) assertNotServed(known); // what is refused only when an engine calls is seen by nobody
  const choice = await selectDriver({ driver: wished, home, root, options: opt }, logger);

  const driver = createGraphDriverPlugin({
    open: choice.factory.open,
    ...(home !== undefined && { home }),
    defaultHome: join(root, "layers", name),
    options: opt,
    optionsForHost,
    durability,
    state: createStateFile(statePath),
    callsFolder: join(root, "state", `${name}.calls`),
    logger,
  });
  try {
    const plugin = await serve({
      drivers: [driver, ...alongside],
      listen,
      logger,
      drainTimeoutMs,
      handleSignals: false,
    });
    const serving = { name, address: plugin.address, root, home, ...choice };
    return { ...describeGraphDriver(serving, context), close: () => plugin.close() };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** The home that an earlier process had open, and this one is to open again. */
function keptHome(statePath: string): string | undefined {
  try {
    const record = readInitRecord(statePath);
    return record?.released === true ? undefined : record?.home;
  } catch {
    return undefined; // whoever opens it says what is wrong with it
  }
}
