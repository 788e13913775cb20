import { join } from "node:path";
import { createGraphDriverPlugin, type Durability, optionsForHost } from "../../graphdriver/index.ts";
import { assertAddressFree, closeOnSignals, createStateFile, serve } from "../../plugin/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import { defineCommand, orUsageError, UsageError } from "../terminal/command.ts";
import { defaultRoot } from "../terminal/default-folders.ts";
import { formatDriverOptions, selectDriver } from "./graph-drivers.ts";
import { absolute, listenOptions, readListenOptions, warnOfStrangers } from "./listen-options.ts";
import { createLogger, logLevels } from "./logger.ts";
import { printServing } from "./print-serving.ts";

const durabilities: readonly Durability[] = ["none", "layer", "file"];

export const serveGraph = defineCommand({
  details: [
    "The engine says where layers are kept (its Home); --home overrides that. --root is where Cleat keeps what is its",
    "own, and the layers of an engine that names no Home.",
    "",
    "With --driver auto each home keeps the driver whose layers it holds; cleat doctor says which one a new home gets.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. Mounts stay for the next start.",
  ],
  options: {
    name: { type: "string", value: "NAME", help: "what engines call the plugin; default cleat" },
    driver: {
      type: "string",
      value: "DRIVER",
      help: "overlay2, fuse-overlayfs, btrfs, vfs, or auto: what layers are there, or the best that works; default auto",
    },
    root: { type: "string", value: "PATH", help: "default /var/lib/cleat; for users ~/.local/share/cleat" },
    home: { type: "string", value: "PATH", help: "keep layers here, whatever the engine says" },
    ...listenOptions,
    opt: { type: "string", value: "KEY=VALUE", multiple: true, help: "an option of the driver; see below" },
    durability: { type: "string", value: "LEVEL", help: `${durabilities.join(", ")}; default layer` },
    "log-level": { type: "string", value: "LEVEL", help: `${logLevels.join(", ")}; default info` },
    json: { type: "boolean", help: "print what is served as one line of JSON" },
  },
  furtherHelp: formatDriverOptions,
  async run(values, _operands, surroundings) {
    const name = values.name ?? "cleat";
    orUsageError(() => assertPluginName(name));
    const root = absolute("root", values.root ?? defaultRoot(surroundings));
    const home = values.home === undefined ? undefined : absolute("home", values.home);
    const durability = parseDurability(values.durability);
    const listen = await readListenOptions(name, values, surroundings);
    const logger = await createLogger(values["log-level"] ?? "info", surroundings);
    warnOfStrangers(listen, logger);
    await assertAddressFree(listen); // before anything is looked at that would be another plugin's
    const { driver: wished = "auto", opt = [] } = values;
    const choice = await selectDriver({ driver: wished, home, root, options: opt }, logger);

    const driver = createGraphDriverPlugin({
      open: choice.factory.open,
      ...(home !== undefined && { home }),
      defaultHome: join(root, "layers", name),
      options: opt,
      optionsForHost,
      durability,
      state: createStateFile(join(root, "state", `${name}.json`)),
      callsFolder: join(root, "state", `${name}.calls`),
      logger,
    });
    let plugin;
    try {
      plugin = await serve({ drivers: [driver], listen, logger, handleSignals: false });
    } catch (error) {
      await driver.close();
      throw error;
    }
    try {
      printServing({ name, address: plugin.address, root, home, ...choice }, values.json === true, surroundings);
    } catch (error) {
      await plugin.close();
      throw error;
    }
    await closeOnSignals(plugin, {
      signals: surroundings.closingSignals,
      onSignal: (signal) => logger.info({ signal }, "closing; once more to stop at once"),
    });
    return "done";
  },
});

function parseDurability(text: string | undefined): Durability {
  const found = durabilities.find((level) => level === (text ?? "layer"));
  if (found === undefined) throw new UsageError(`--durability is none of ${durabilities.join(", ")}: "${text}"`);
  return found;
}
