import { bootId } from "../../syscall/index.ts";
import { CleatError, quoteText, toCleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { openStore } from "../../state/index.ts";
import { createDeadline, type Logger, silentLogger } from "../../transport/index.ts";
import type { CreateVolumeOptions, Volume, VolumeCapabilities, VolumeDriver } from "../../volume/index.ts";
import { createMountSet } from "../holders/mount-set.ts";
import { createTurns } from "../holders/turns.ts";
import { readMountPoints } from "../mounting/mount-file-system.ts";
import { createSayStep } from "../steps.ts";
import { createBackendCalls } from "./backend-calls.ts";
import { createLifeCycle } from "./life-cycle.ts";
import type { OptionTable } from "../options/option-table.ts";
import type { VolumeBackend, VolumeUsage } from "./volume-backend.ts";
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
   * How long one call of the backend may take, in milliseconds. Default 50,000: engines that wait a minute hear what was
   * wrong.
   */
  readonly timeoutMs?: number;
  /** How long what was mounted for an engine that gave up waits for it to ask again, in milliseconds. Default 120,000. */
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
   * Makes a new volume with the files that `fill` makes at `path`: all of it or, after an error or `kill -9`, nothing. Takes
   * as long as `call` says; default without an end.
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
}

const defaultTimeoutMs = 50_000;
/** What a caller waits on top of that: what a failed call has left is cleaned up. */
const cleaningMs = 5_000;
/** What Node's timers can wait. */
const endlessMs = 2 ** 31 - 1;
const defaultLingerMs = 120_000;
/** Podman waits 5 s for an answer, whatever it asks. */
const usageTimeoutMs = 2_000;

/**
 * Opens the volumes of a driver: `volume-backend.ts` is the manual. What was there is there again, with its holders; what a
 * process that was killed has left half done is undone behind.
 * @throws FAILED_PRECONDITION when another process has the folder open.
 * @throws DATA_LOSS when records are damaged.
 */
export async function openManagedVolumes<Table extends OptionTable>(
  options: ManagedVolumesOptions<Table> | TypedVolumesOptions,
): Promise<ManagedVolumes> {
  const { name: driver, folder, scope = "local", logger = silentLogger } = options;
  const { timeoutMs = defaultTimeoutMs, lingerMs = defaultLingerMs } = options;
  const boot = bootId();
  const folders = await openVolumeFolders(folder, logger);
  const store = await openStore({ folder: folders.state, tables: volumeTables });
  if (store.tornBytes > 0) logger.warn({ bytes: store.tornBytes }, "a change that was never acknowledged was cut off");
  const turns = createTurns();
  const calls = createBackendCalls(timeoutMs);
  const sayStep = createSayStep(driver);
  const table = createVolumeTable(options, store, folders, calls);
  const mounts = createMountSet({
    records: store.tables.mounts,
    turns,
    mount: table.mount,
    unmount: table.unmount,
    isMounted: (name, mountPoints = readMountPoints()) => mountPoints.has(folders.targetOf(name)),
    bootId: boot,
    logger,
    sayStep,
    lingerMs,
  });
  const life = createLifeCycle({ store, turns, table, mounts, folders, sayStep, logger });

  /** A turn of a volume, for a caller who waits no longer than he says, or than calls may take. */
  const inTurn = async <Result>(
    name: string,
    call: CallOptions | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> => {
    const deadline = createDeadline(
      call?.timeoutMs ?? timeoutMs + cleaningMs,
      `volume ${quoteText(name)}`,
      call?.signal,
    );
    try {
      return await turns.take(name, deadline.signal, () => work(deadline.signal));
    } finally {
      deadline.release();
    }
  };
  const mountpointOf = (name: string, mountPoints?: ReadonlySet<string>) =>
    mounts.pathOf(name, mountPoints) ?? table.pathOf(name);
  const toVolume = (name: string, usage?: VolumeUsage | string, mountPoints?: ReadonlySet<string>): Volume => ({
    name,
    mountpoint: mountpointOf(name, mountPoints),
    createdAt: table.createdAt(name),
    status: { ...table.statusOf(name), Mounts: mounts.holders(name).length, ...toStatus(usage) },
  });

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

  return {
    name: driver,
    capabilities: async () => ({ scope }),
    async create(name, { options: given = {} } = {}, call) {
      try {
        await inTurn(name, call, (signal) => life.create(name, given, signal));
      } catch (error) {
        const { code } = toCleatError(error);
        if (code !== "DEADLINE_EXCEEDED" || !life.isMaking(name)) throw error;
        throw new CleatError(code, `volume "${name}" is still being made; it goes on, so ask again`, { cause: error });
      }
    },
    createFilled: (name, { options: given = {} }, fill, call) =>
      inTurn(name, { timeoutMs: endlessMs, ...call }, (signal) => life.createFilled(name, given, fill, signal)),
    async list() {
      const mountPoints = readMountPoints();
      return table.names().map((name) => toVolume(name, undefined, mountPoints));
    },
    async get(name) {
      table.assertThere(name);
      const usage = table.hasUsage(name) ? await table.usage(name, usageTimeoutMs).catch(toProblem) : undefined;
      table.assertThere(name); // it may have gone meanwhile
      return toVolume(name, usage);
    },
    async remove(name, call) {
      const isMaking = life.isMaking(name);
      life.stopMaking(name);
      try {
        await inTurn(name, call, () => life.remove(name));
      } catch (error) {
        if (!isMaking || toCleatError(error).code !== "NOT_FOUND") throw error;
      }
    },
    async path(name) {
      table.assertThere(name);
      return mountpointOf(name);
    },
    async mount(name, id, call) {
      const { path, recorded } = await inTurn(name, call, async (signal) => {
        table.assertReady(name);
        return mounts.mount(name, id, signal);
      });
      await recorded;
      sayStep("mount: acknowledged", name);
      return path;
    },
    async unmount(name, id, call) {
      await inTurn(name, call, async () => {
        table.assertThere(name);
        await mounts.unmount(name, id);
      });
      sayStep("unmount: acknowledged", name);
    },
    usage: (name, call) => inTurnless(call, () => table.usage(name, timeoutMs)),
    resize: (name, sizeBytes, call) => inTurn(name, call, () => life.resize(name, sizeBytes)),
    holders(name) {
      table.assertThere(name);
      return mounts.holders(name);
    },
    close: () => (closing ??= end()),
  };
}

/** What takes no turn: it reads only. */
async function inTurnless<Result>(call: CallOptions | undefined, work: () => Promise<Result>): Promise<Result> {
  call?.signal?.throwIfAborted();
  return work();
}

/** A backend that does not end when it is told to keeps nobody from closing; what it leaves is undone at the next start. */
function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000).unref());
}

function toProblem(error: unknown): string {
  return error instanceof CleatError ? error.message : String(error);
}

function toStatus(usage: VolumeUsage | string | undefined): Record<string, unknown> {
  if (usage === undefined) return {};
  if (typeof usage === "string") return { Usage: usage };
  const { usedBytes, sizeBytes, inodes } = usage;
  return {
    UsedBytes: usedBytes,
    ...(sizeBytes !== undefined && { SizeBytes: sizeBytes }),
    ...(inodes !== undefined && { Inodes: inodes }),
  };
}
