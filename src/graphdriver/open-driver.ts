import { join } from "node:path";
import { CleatError, PluginNotFoundError } from "../errors/index.ts";
import { assertPluginName, graphDriverProtocol } from "../protocol/index.ts";
import type { Transport } from "../transport/index.ts";
import type { GraphDriver, GraphDriverFactory, OpenOptions } from "./driver.ts";
import { createGraphDriverFromPlugin } from "./from-plugin.ts";
import { overlay2 } from "./overlay2/overlay2.ts";
import { vfs } from "./vfs/vfs.ts";

/** Where plugins are had from. A `Registry` of `cleat/host` is one. */
export interface GraphDriverPlugins {
  /** @throws PluginNotFoundError (NOT_FOUND) when there is none of that name. */
  get(name: string, protocol: typeof graphDriverProtocol): Promise<{ readonly transport: Transport }>;
}

export interface OpenDriverOptions extends Omit<OpenOptions, "home"> {
  /** "overlay2", "vfs", or a plugin's name. */
  readonly name: string;
  /** The driver's home is `ROOT/NAME`, as Docker has it. An absolute path, for a plugin on its host. */
  readonly root: string;
  /** Default: those that Cleat has. */
  readonly drivers?: readonly GraphDriverFactory[];
  /** Without it only `drivers` are opened. */
  readonly plugins?: GraphDriverPlugins;
}

/**
 * Opens the driver of that name or, where none has it, the plugin of that name: a remote driver is a driver.
 *
 * Source: moby v20.10.24 `daemon/graphdriver/driver.go`, `GetDriver`.
 * @throws NOT_FOUND when there is neither; the message lists the drivers and the paths tried.
 * @throws UNIMPLEMENTED when the driver does not work here, or the plugin is no graph driver.
 */
export async function openDriver(options: OpenDriverOptions): Promise<GraphDriver> {
  const { name, root, drivers = [overlay2, vfs], plugins, ...rest } = options;
  assertPluginName(name);
  const open = { ...rest, home: join(root, name) };
  const builtIn = drivers.find((driver) => driver.name === name);
  if (builtIn !== undefined) return builtIn.open(open);
  const unknown = `graph driver "${name}" is none of ${drivers.map((driver) => driver.name).join(", ")}`;
  if (plugins === undefined) throw new CleatError("NOT_FOUND", unknown);
  try {
    const { transport } = await plugins.get(name, graphDriverProtocol);
    return await createGraphDriverFromPlugin(transport, { ...open, name });
  } catch (error) {
    if (!(error instanceof PluginNotFoundError)) throw error;
    throw new CleatError("NOT_FOUND", `${unknown}, and ${error.message}`, { cause: error });
  }
}
