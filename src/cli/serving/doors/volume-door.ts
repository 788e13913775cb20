import { existsSync } from "node:fs";
import { join } from "node:path";
import { assertAddressFree, type Logger, serve, type ServedDriver } from "../../../plugin/index.ts";
import { assertPluginName } from "../../../protocol/index.ts";
import { createVolumeDriverPlugin } from "../../../volume/index.ts";
import {
  createSharedVolumeTypes,
  createVolumeToolsPlugin,
  createVolumeTypes,
  defaultVolumeType,
  type ManagedVolumes,
  openGlobalVolumes,
  openManagedVolumes,
  otherVolumeTypes,
  sharedVolumeTypes,
  volumeTypes,
} from "../../../volumedrivers/index.ts";
import { type CommandContext, type CommandOptions, orUsageError, UsageError } from "../../terminal/command.ts";
import { defaultRoot } from "../../terminal/default-folders.ts";
import {
  absolute,
  listenOptions,
  type ListenValues,
  readListenOptions,
  warnOfStrangers,
} from "../options/listen-options.ts";
import type { Door } from "./door.ts";
import { drainTimeoutMs } from "./serve-doors.ts";

export const volumeOptions = {
  name: { type: "string", value: "NAME", help: "what engines call the driver; default cleat" },
  root: {
    type: "string",
    value: "PATH",
    help: "keep volumes and what is known of them here; default /var/lib/cleat/volumes/NAME",
  },
  csi: {
    type: "string",
    value: "SOCKET",
    help: "serve the volumes of a plugin of the Container Storage Interface, which listens there",
  },
  scope: {
    type: "string",
    value: "SCOPE",
    help: "local, the default, or global: several hosts share volumes, by --etcd",
  },
  etcd: { type: "string", value: "URL", help: "where etcd is; several with commas: https://10.0.0.1:2379" },
  "etcd-prefix": { type: "string", value: "TEXT", help: "of its keys, the same for all hosts; default /cleat/NAME" },
  "etcd-ca": {
    type: "string",
    value: "FILE",
    help: "in PEM, who vouches for etcd, in place of the authorities Node knows",
  },
  "etcd-cert": { type: "string", value: "FILE", help: "in PEM, as whom etcd is asked" },
  "etcd-key": { type: "string", value: "FILE", help: "in PEM, the key to it" },
  "rclone-folder": {
    type: "string",
    multiple: true,
    value: "PATH",
    help: "let volumes of rclone name configurations and keys below it; may be given more than once",
  },
  ...listenOptions,
} as const satisfies CommandOptions;

/** Which volumes these are. */
export interface ManagedValues {
  readonly name?: string | undefined;
  readonly root?: string | undefined;
  readonly csi?: string | undefined;
  readonly scope?: string | undefined;
  readonly etcd?: string | undefined;
  readonly "etcd-prefix"?: string | undefined;
  readonly "etcd-ca"?: string | undefined;
  readonly "etcd-cert"?: string | undefined;
  readonly "etcd-key"?: string | undefined;
  readonly "rclone-folder"?: readonly string[] | undefined;
}

export interface VolumeValues extends ListenValues, ManagedValues {}

/** Volumes that are open, and not served yet. */
export interface OpenVolumes {
  readonly driver: ServedDriver & { close(): Promise<void> };
  /** What `cleat volumes` asks it beyond. */
  readonly tools: ServedDriver;
  readonly name: string;
  readonly root: string;
  /** Which kinds of volumes there are, in words. */
  readonly types: string;
}

/** Opens the volumes of a driver called `name`, as what users and engines call it. @throws what opening them throws. */
export async function openVolumes(
  values: ManagedValues,
  context: CommandContext,
  logger: Logger,
): Promise<OpenVolumes> {
  const { managed, name, root } = await openManaged(values, context, logger);
  const ofHost = values.etcd === undefined ? describeTypes() : describeSharedTypes();
  const types = values.csi === undefined ? ofHost : `what the CSI plugin at ${values.csi} makes`;
  const driver = createVolumeDriverPlugin({ driver: managed, logger });
  return { driver, tools: createVolumeToolsPlugin({ managed }), name, root, types };
}

/** The folder of a driver called `name`. @throws UsageError when that is no name of a plugin. */
export function volumeFolder(
  { name = "cleat", root }: Pick<VolumeValues, "name" | "root">,
  context: CommandContext,
): { readonly name: string; readonly folder: string } {
  orUsageError(() => assertPluginName(name));
  return { name, folder: absolute("root", root ?? join(defaultRoot(context), "volumes", name)) };
}

/** Opens it, for whoever serves it or nothing. @throws FAILED_PRECONDITION when another process has it open. */
export async function openManaged(
  { csi, ...values }: ManagedValues,
  context: CommandContext,
  logger: Logger,
): Promise<{ readonly managed: ManagedVolumes; readonly name: string; readonly root: string }> {
  const { name, folder } = volumeFolder(values, context);
  const settings = { name, folder, logger };
  const shared = sharedBy(values);
  const allowed = { configFolders: values["rclone-folder"]?.map((path) => absolute("rclone-folder", path)) };
  if (shared !== undefined) {
    if (csi !== undefined) throw new UsageError("--csi and --scope global are two kinds of volumes; give one");
    const types = { types: createSharedVolumeTypes(allowed), otherTypes: otherVolumeTypes };
    return { managed: await openGlobalVolumes({ ...settings, ...types, ...shared }), name, root: folder };
  }
  if (csi !== undefined) {
    const { openCsiVolumes } = await import("../../../csi/index.ts");
    return { managed: await openCsiVolumes({ ...settings, unix: absolute("csi", csi) }), name, root: folder };
  }
  const types = { types: createVolumeTypes(allowed), defaultType: defaultVolumeType, otherTypes: otherVolumeTypes };
  return { managed: await openManagedVolumes({ ...settings, ...types }), name, root: folder };
}

/** What --scope and --etcd say; `undefined` for volumes of this host's own. */
function sharedBy({ scope = "local", etcd, ...more }: ManagedValues) {
  if (scope !== "local" && scope !== "global") throw new UsageError(`--scope takes local or global, not "${scope}"`);
  if ((scope === "global") !== (etcd !== undefined)) throw new UsageError("--scope global and --etcd go together");
  if (etcd === undefined) return undefined;
  const tls = { ca: more["etcd-ca"], cert: more["etcd-cert"], key: more["etcd-key"] };
  for (const [option, path] of Object.entries(tls)) {
    if (path === undefined || existsSync(path)) continue;
    throw new UsageError(`--etcd-${option}: ${JSON.stringify(path)} is not there`);
  }
  const prefix = more["etcd-prefix"];
  return { etcd: { endpoints: etcd.split(","), tls }, ...(prefix !== undefined && { prefix }) };
}

const describeSharedTypes = (): string =>
  `${Object.keys(sharedVolumeTypes).join(", ")}, and whatever the kernel mounts`;

/** The kinds of volumes there are without a CSI plugin. */
export const describeTypes = (): string => `${Object.keys(volumeTypes).join(", ")}, and whatever the kernel mounts`;

/** Serves volumes to Docker and Podman. @throws what is wrong with options, address or records. */
export async function openVolumeDoor(values: VolumeValues, context: CommandContext, logger: Logger): Promise<Door> {
  const { name = "cleat" } = values;
  orUsageError(() => assertPluginName(name));
  const listen = await readListenOptions(name, values, context);
  warnOfStrangers(listen, logger);
  await assertAddressFree(listen);
  const volumes = await openVolumes(values, context, logger);
  try {
    const plugin = await serve({
      drivers: [volumes.driver, volumes.tools],
      listen,
      logger,
      drainTimeoutMs,
      handleSignals: false,
    });
    return { ...describeVolumes(volumes, plugin.address), close: () => plugin.close() };
  } catch (error) {
    await volumes.driver.close();
    throw error;
  }
}

/** What is served where, and what to try next. */
export function describeVolumes({ name, root, types }: OpenVolumes, address: string): Pick<Door, "lines" | "fields"> {
  const next = `docker volume create --driver ${name} data`;
  return {
    lines: [
      `Cleat serves the volume driver "${name}" at ${address}`,
      `  types   ${types}`,
      `  volumes ${root}`,
      `  try     ${next}`,
    ],
    fields: { door: "volume", name, address, types, root, next },
  };
}
