import { toCleatError } from "../../errors/index.ts";
import { bootId } from "../../syscall/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { openStore } from "../../state/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import type { CreateVolumeOptions, VolumeCapabilities, VolumeDriver } from "../../volume/index.ts";
import { createMountSet } from "../holders/mount-set.ts";
import { createTurns } from "../holders/turns.ts";
import { readMountPoints } from "../mounting/mount-file-system.ts";
import { createSayStep } from "../steps.ts";
import { createBackendCalls } from "./backend-calls.ts";
import { createLifeCycle } from "./life-cycle.ts";
import { createManagedCalls } from "./managed-calls.ts";
import type { OptionTable } from "../options/option-table.ts";
import { createOwnMounts, type OwnMounts } from "./own-mounts.ts";
import type { VolumeBackend, VolumeUsage } from "./volume-backend.ts";
import { settleOlder } from "./settle-older.ts";
import { openVolumeFolders } from "./volume-folders.ts";
import { volumeTables } from "./volume-record.ts";
import { createVolumeTable } from "./volume-table.ts";

export interface ManagedVolumesSettings {
  /** The driver's name, as in `docker volume create --driver NAME`. */
  readonly name: string;
  /** Absolute path of a folder of the driver's own, which is made: records, volumes, mounts. */
  readonly folder: string;
  /** Default "local". */
  readonly scope?: VolumeCapabilities["scope"];
  /**
   * How long one call of the backend may take, in milliseconds. Default 50,000: engines that wait a
   * minute hear what was wrong.
   */
  readonly timeoutMs?: number;
  /**
   * How long what was mounted for an engine that gave up waits for it to ask again, in milliseconds. Default 120,000.
   */
  readonly lingerMs?: number;
  readonly logger?: Logger;
}

/** A driver of one kind of volumes. */
export type ManagedVolumesOptions<Table extends OptionTable> = ManagedVolumesSettings & VolumeBackend<Table>;

/** A driver of several kinds: the option `type` says which. */
export interface TypedVolumesOptions extends ManagedVolumesSettings {
  readonly types: Readonly<Record<string, VolumeBackend>>;
  /** Of every other type; which it is stands in `volume.type`. */
  readonly otherTypes?: VolumeBackend;
  /** Of a volume without the option `type`; without this one it is needed. */
  readonly defaultType?: string;
}

/** A volume driver, and what its owner may ask of it beyond. */
export interface ManagedVolumes extends VolumeDriver {
  /** What a volume takes, as far as its backend knows now. @throws UNIMPLEMENTED where it never does. */
  usage(name: string, call?: CallOptions): Promise<VolumeUsage | undefined>;
  /**
   * Gives a volume another size, also while it is mounted, where its backend can; shown with its options from then on.
   * @throws UNIMPLEMENTED where its backend cannot, INVALID_ARGUMENT for one that is no whole number above nothing.
   */
  resize(name: string, sizeBytes: number, call?: CallOptions): Promise<void>;
  /**
   * Makes a new volume with the files that `fill` makes at `path`: all of it or, after an error or `kill -9`, nothing.
   * Takes as long as `call` says; default without an end.
   * @throws ALREADY_EXISTS when there is one of that name, whatever its options; what `fill` throws.
   */
  createFilled(
    name: string,
    options: CreateVolumeOptions,
    fill: (path: string) => Promise<void>,
    call?: CallOptions,
  ): Promise<void>;
  /** Who has the volume mounted. @throws NOT_FOUND */
  holders(name: string): readonly string[];
  /** The options of a snapshot of it. @throws NOT_FOUND, UNIMPLEMENTED where its backend makes no copies. */
  copyOptions(name: string): Readonly<Record<string, string>>;
  /** Whether a volume of those options' type may have that one, too. */
  takesOption(option: string, given: Readonly<Record<string, string>>): boolean;
  /** Whether it is there and not half removed: that one is in lists still, and `create` makes it anew. */
  isWhole(name: string): boolean;
}

const defaultTimeoutMs = 50_000;
const defaultLingerMs = 120_000;

/**
 * Opens the volumes of a driver: `volume-backend.ts` is the manual. What was there is there again, with its holders;
 * what a process that was killed has left half done is undone behind. Where the records alone are of an older backup,
 * nothing is deleted or unmounted by them.
 * @throws FAILED_PRECONDITION when another process has the folder open.
 * @throws DATA_LOSS when records are damaged.
 */
export async function openManagedVolumes<Table extends OptionTable>(
  options: ManagedVolumesOptions<Table> | TypedVolumesOptions,
): Promise<ManagedVolumes> {
  return (await openVolumesAndMounts(options)).volumes;
}

/** The same, for a driver that stands on it. */
export async function openVolumesAndMounts<Table extends OptionTable>(
  options: ManagedVolumesOptions<Table> | TypedVolumesOptions,
): Promise<{ readonly volumes: ManagedVolumes; readonly mounts: OwnMounts }> {
  try {
    return await openInFolder(options);
  } catch (error) {
    throw toCleatError(error, `volumes of "${options.folder}" cannot be opened`);
  }
}

async function openInFolder<Table extends OptionTable>(
  options: ManagedVolumesOptions<Table> | TypedVolumesOptions,
): Promise<{ readonly volumes: ManagedVolumes; readonly mounts: OwnMounts }> {
  const { name: driver, folder, scope = "local", logger = silentLogger } = options;
  const { timeoutMs = defaultTimeoutMs, lingerMs = defaultLingerMs } = options;
  const boot = bootId();
  const folders = await openVolumeFolders(folder, logger);
  const store = await openStore({
    folder: folders.state,
    tables: volumeTables,
    markFile: folders.mark,
    settleOlder: (tables) => settleOlder(tables, { folders, bootId: boot, logger }),
  });
  if (store.tornBytes > 0) logger.warn({ bytes: store.tornBytes }, "a change that was never acknowledged was cut off");
  const turns = createTurns();
  const calls = createBackendCalls(timeoutMs, logger);
  const sayStep = createSayStep(driver);
  const table = createVolumeTable(options, store, folders, calls);
  const mounts = createMountSet({
    records: store.tables.mounts,
    turns,
    mount: table.mount,
    unmount: table.unmount,
    care: table.care,
    isMounted: (name, mountPoints = readMountPoints()) => mountPoints.has(folders.targetOf(name)),
    bootId: boot,
    logger,
    sayStep,
    lingerMs,
  });
  const life = createLifeCycle({ store, turns, table, mounts, folders, sayStep, logger });

  const end = async () => {
    mounts.stop();
    calls.stop();
    await Promise.race([turns.idle(), patience()]);
    await store.close();
  };
  let closing: Promise<void> | undefined;

  try {
    await mounts.reconcile();
  } catch (error) {
    await end();
    throw error;
  }
  life.finishBegun();
  folders.emptyTrash();

  const volumes: ManagedVolumes = {
    name: driver,
    capabilities: async () => ({ scope }),
    ...createManagedCalls({ table, life, mounts, turns, folders, timeoutMs, sayStep }),
    close: () => (closing ??= end()),
  };
  return { volumes, mounts: createOwnMounts({ mounts, table, turns, folders }) };
}

/**
 * A backend that does not end when it is told to keeps nobody from closing; what it leaves is undone at the next start.
 */
function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000).unref());
}
