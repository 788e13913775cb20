import { join } from "node:path";
import { assertAddressFree, type Logger, serve, type ServedDriver } from "../../plugin/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import { createVolumeDriverPlugin } from "../../volume/index.ts";
import {
  defaultVolumeType,
  type ManagedVolumes,
  openManagedVolumes,
  otherVolumeTypes,
  volumeTypes,
} from "../../volumedrivers/index.ts";
import { type CommandContext, type CommandOptions, orUsageError } from "../terminal/command.ts";
import { defaultRoot } from "../terminal/default-folders.ts";
import type { Door } from "./door.ts";
import { absolute, listenOptions, type ListenValues, readListenOptions, warnOfStrangers } from "./listen-options.ts";
import { drainTimeoutMs } from "./serve-doors.ts";

export const volumeOptions = {
  name: { type: "string", value: "NAME", help: "what engines call the driver; default cleat" },
  root: {
    type: "string",
    value: "PATH",
    help: "keep volumes and what is known of them here; default /var/lib/cleat/volumes/NAME",
  },
  ...listenOptions,
} as const satisfies CommandOptions;

export interface VolumeValues extends ListenValues {
  readonly name?: string | undefined;
  readonly root?: string | undefined;
}

/** Volumes that are open, and not served yet. */
export interface OpenVolumes {
  readonly driver: ServedDriver & { close(): Promise<void> };
  readonly name: string;
  readonly root: string;
}

/** Opens the volumes of a driver called `name`. @throws what opening them throws. */
export async function openVolumes(
  values: Pick<VolumeValues, "name" | "root">,
  context: CommandContext,
  logger: Logger,
): Promise<OpenVolumes> {
  const { volumes, name, root } = await openVolumeFolder(values, context, logger);
  return { driver: createVolumeDriverPlugin({ driver: volumes, logger }), name, root };
}

/** The folder of a driver called `name`. @throws UsageError when that is no name of a plugin. */
export function volumeFolder({ name = "cleat", root }: Pick<VolumeValues, "name" | "root">, context: CommandContext) {
  orUsageError(() => assertPluginName(name));
  return { name, root: absolute("root", root ?? join(defaultRoot(context), "volumes", name)) };
}

/** Opens it, for whoever serves nothing. @throws FAILED_PRECONDITION when another process has it open. */
export async function openVolumeFolder(
  values: Pick<VolumeValues, "name" | "root">,
  context: CommandContext,
  logger: Logger,
): Promise<{ volumes: ManagedVolumes; name: string; root: string }> {
  const { name, root } = volumeFolder(values, context);
  const volumes = await openManagedVolumes({
    name,
    folder: root,
    types: volumeTypes,
    defaultType: defaultVolumeType,
    otherTypes: otherVolumeTypes,
    logger,
  });
  return { volumes, name, root };
}

/** Serves volumes to Docker and Podman. @throws what is wrong with options, address or records. */
export async function openVolumeDoor(values: VolumeValues, context: CommandContext, logger: Logger): Promise<Door> {
  const { name = "cleat" } = values;
  orUsageError(() => assertPluginName(name));
  const listen = await readListenOptions(name, values, context);
  warnOfStrangers(listen, logger);
  await assertAddressFree(listen);
  const volumes = await openVolumes(values, context, logger);
  try {
    const plugin = await serve({ drivers: [volumes.driver], listen, logger, drainTimeoutMs, handleSignals: false });
    return { ...describeVolumes(volumes, plugin.address), close: () => plugin.close() };
  } catch (error) {
    await volumes.driver.close();
    throw error;
  }
}

/** What is served where, and what to try next. */
export function describeVolumes({ name, root }: OpenVolumes, address: string): Pick<Door, "lines" | "fields"> {
  const next = `docker volume create --driver ${name} data`;
  const types = Object.keys(volumeTypes);
  return {
    lines: [
      `Cleat serves the volume driver "${name}" at ${address}`,
      `  types   ${types.join(", ")}, and whatever the kernel mounts`,
      `  volumes ${root}`,
      `  try     ${next}`,
    ],
    fields: { door: "volume", name, address, types, root, next },
  };
}
