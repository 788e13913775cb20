import { isAbsolute, join } from "node:path";
import { CleatError, PluginNotFoundError, toCleatError, UnsupportedError } from "../errors/index.ts";
import { assertPluginName, graphDriverProtocol } from "../protocol/index.ts";
import type { Transport } from "../transport/index.ts";
import { decideDriver, type DriverDecision } from "./decision.ts";
import {
  createGraphDriverFromPlugin,
  type GraphDriver,
  type GraphDriverFactory,
  type OpenOptions,
} from "../graphdriver/index.ts";
import { builtInFactories, createDriverRegistry, type DriverRegistry } from "./registry.ts";

/** Where plugins are had from. A `Registry` of `cleat/host` is one. */
export interface GraphDriverPlugins {
  /** @throws PluginNotFoundError (NOT_FOUND) when there is none of that name. */
  get(name: string, protocol: typeof graphDriverProtocol): Promise<{ readonly transport: Transport }>;
}

export interface OpenDriverOptions extends Omit<OpenOptions, "home"> {
  /** "overlay2", "vfs", or a plugin's name. Default: what the layers under `root` say, or the best that works there. */
  readonly name?: string;
  /** The driver's home is `ROOT/NAME`, as Docker has it. An absolute path, for a plugin on its host. */
  readonly root: string;
  /** Default: those that Cleat has. */
  readonly drivers?: DriverRegistry;
  /** Without it only `drivers` are opened. Plugins are opened by name, never chosen. */
  readonly plugins?: GraphDriverPlugins;
}

/**
 * Opens the driver of that name or, where none has it, the plugin of that name: a remote driver is a driver. Without a
 * name, opens the driver that `decideDriver` comes to.
 *
 * Source: moby v20.10.24 `daemon/graphdriver/driver.go`, `New`, `GetDriver`.
 * @throws INVALID_ARGUMENT when the root is not an absolute path.
 * @throws NOT_FOUND when nobody has the name; the message lists the drivers and the paths tried. PERMISSION_DENIED when
 * a plugin may have it, and may not be looked at or called.
 * @throws UNIMPLEMENTED when the driver does not work here, or the plugin is not a graph driver; without a name, when
 * no driver works, or the one whose layers are there does not any more.
 * @throws FAILED_PRECONDITION without a name, when layers of several drivers are there, or of one that is not built in.
 */
export async function openDriver(options: OpenDriverOptions): Promise<GraphDriver> {
  const { name, root, drivers = createDriverRegistry(builtInFactories), plugins, ...rest } = options;
  if (!isAbsolute(root)) throw new CleatError("INVALID_ARGUMENT", `root "${root}" is not an absolute path`);
  if (name !== undefined) return openNamed(name, drivers, plugins, { ...rest, home: join(root, name) });
  const decision = await decideDriver({ root }, drivers);
  return openDecided(decision, drivers, (driver) => ({ ...rest, home: join(root, driver) }));
}

/**
 * Opens what was decided on. A driver that finds out only now, by writing, that it is unsupported, gives way to the
 * next one.
 * @throws what the last of them threw.
 */
export async function openDecided(
  { choices, refusal }: DriverDecision,
  registry: DriverRegistry,
  optionsFor: (driver: string) => OpenOptions,
): Promise<GraphDriver> {
  let failure: Error | undefined = refusal;
  for (const driver of choices) {
    try {
      return await toFactory(driver, registry).open(optionsFor(driver));
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      failure = error;
    }
  }
  throw failure ?? new CleatError("INTERNAL", "decision names neither a driver nor a refusal");
}

function toFactory(name: string, registry: DriverRegistry): GraphDriverFactory {
  const factory = registry.find(name);
  if (factory === undefined) throw unknownDriver(name, registry);
  return factory;
}

function unknownDriver(name: string, { names }: DriverRegistry): CleatError {
  return new CleatError("NOT_FOUND", `graph driver "${name}" is none of ${names.join(", ")}`);
}

async function openNamed(
  name: string,
  drivers: DriverRegistry,
  plugins: GraphDriverPlugins | undefined,
  open: OpenOptions,
): Promise<GraphDriver> {
  assertPluginName(name);
  const builtIn = drivers.find(name);
  if (builtIn !== undefined) return builtIn.open(open);
  const unknown = unknownDriver(name, drivers);
  if (plugins === undefined) throw unknown;
  try {
    const { transport } = await plugins.get(name, graphDriverProtocol);
    return await createGraphDriverFromPlugin(transport, { ...open, name });
  } catch (error) {
    const { code, message } = toCleatError(error);
    if (!(error instanceof PluginNotFoundError) && code !== "PERMISSION_DENIED") throw error;
    throw new CleatError(code, `${unknown.message}, and ${message}`, { cause: error });
  }
}
