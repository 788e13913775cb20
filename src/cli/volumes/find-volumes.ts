import { stat } from "node:fs/promises";
import { CleatError, isSystemError, PluginNotFoundError, toCleatError } from "../../errors/index.ts";
import { silentLogger } from "../../transport/index.ts";
import { createVolumeDriverFromPlugin, type VolumeDriver } from "../../volume/index.ts";
import { createVolumeToolsFromPlugin, type ManagedVolumes, type VolumeTools } from "../../volumedrivers/index.ts";
import { findPlugin, type NamedPlugin, openTransport } from "../plugins/find-plugin.ts";
import { openManaged, volumeFolder } from "../serving/doors/volume-door.ts";
import { type CommandContext, type CommandOptions, UsageError } from "../terminal/command.ts";

export const placeOptions = {
  plugin: { type: "string", value: "NAME", help: "the driver, running: its name or its socket's path; default cleat" },
  root: { type: "string", value: "PATH", help: "the folder of a driver that is not running" },
} as const satisfies CommandOptions;

export interface PlaceValues {
  readonly plugin?: string | undefined;
  readonly root?: string | undefined;
}

/** The volumes that a command line means. */
export interface FoundVolumes extends AsyncDisposable {
  readonly driver: VolumeDriver;
  /** The same where this process has opened them, since nobody serves them. */
  readonly managed: ManagedVolumes | undefined;
  /** What engines have no method for. @throws UNIMPLEMENTED of a driver that is none of Cleat's. */
  tools(): Promise<VolumeTools>;
}

/** What a call may take: some move or unmount much. */
const callTimeoutMs = 120_000;

/**
 * A running driver through its socket, or the folder of one that does not run: with neither option the plugin
 * "cleat", or else its folder.
 * @throws NOT_FOUND when there is none, FAILED_PRECONDITION for the folder of one that runs.
 */
export async function findVolumes(values: PlaceValues, context: CommandContext): Promise<FoundVolumes> {
  const { plugin, root } = values;
  if (plugin !== undefined && root !== undefined) throw new UsageError("--plugin and --root say two places; give one");
  if (root !== undefined) return openStopped(root, context);
  if (plugin !== undefined) return openRunning(await findNamed(plugin, context), context);
  const { folder: own } = volumeFolder({}, context);
  try {
    return await openRunning(await findPlugin("cleat", context), context);
  } catch (error) {
    const { code } = toCleatError(error);
    const isStopped = code === "NOT_FOUND" || code === "UNAVAILABLE" || code === "UNIMPLEMENTED";
    if (!isStopped || !(await isFolder(own))) throw withAdvice(error);
  }
  return openStopped(own, context);
}

async function findNamed(plugin: string, context: CommandContext): Promise<NamedPlugin> {
  try {
    return await findPlugin(plugin, context);
  } catch (error) {
    throw withAdvice(error);
  }
}

/** For who has not begun with volumes yet, and for whose driver is elsewhere. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof PluginNotFoundError)) return error;
  const advice = '"cleat serve volume" starts one; --root PATH is the folder of one that does not run';
  return new PluginNotFoundError(error.plugin, error.pathsTried, { cause: error, advice });
}

async function openRunning(plugin: NamedPlugin, context: CommandContext): Promise<FoundVolumes> {
  const transport = openTransport(plugin, context);
  try {
    const { name } = plugin;
    const driver = await createVolumeDriverFromPlugin(transport, { name, timeoutMs: callTimeoutMs });
    const tools = () => createVolumeToolsFromPlugin(transport, { name, timeoutMs: callTimeoutMs });
    return { driver, managed: undefined, tools, [Symbol.asyncDispose]: () => transport.close() };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/**
 * Only what is there: looking makes nothing. Files of the host's are taken from anywhere: who
 * may look may write it all.
 */
async function openStopped(root: string, context: CommandContext): Promise<FoundVolumes> {
  if (!(await isFolder(`${root}/state`))) {
    throw new CleatError("NOT_FOUND", `"${root}" is no folder of a volume driver`);
  }
  const { managed } = await openManaged({ root, "rclone-folder": ["/"] }, context, silentLogger);
  return { driver: managed, managed, tools: async () => managed, [Symbol.asyncDispose]: () => managed.close() };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
    throw toCleatError(error, `folder ${JSON.stringify(path)}`);
  }
}
