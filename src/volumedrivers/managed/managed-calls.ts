import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { Volume } from "../../volume/index.ts";
import type { MountSet } from "../holders/mount-set.ts";
import { takeTurnWithin } from "../holders/turn-within.ts";
import type { Turns } from "../holders/turns.ts";
import { readMountPoints } from "../mounting/mount-file-system.ts";
import type { SayStep } from "../steps.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { ManagedVolumes } from "./open-managed-volumes.ts";
import type { VolumeUsage } from "./volume-backend.ts";
import type { VolumeFolders } from "./volume-folders.ts";
import type { VolumeTable } from "./volume-table.ts";

export interface ManagedCallsParts {
  readonly table: VolumeTable;
  readonly life: LifeCycle;
  readonly mounts: MountSet;
  readonly turns: Turns;
  readonly folders: Pick<VolumeFolders, "assertInPlace">;
  /** Of one call of the backend. */
  readonly timeoutMs: number;
  readonly sayStep: SayStep;
}

/** What a caller waits on top of that: what a failed call has left is cleaned up. */
const cleaningMs = 5_000;
/** What Node's timers can wait. */
const endlessMs = 2 ** 31 - 1;
/** Podman waits 5 s for an answer, whatever it asks. */
const usageTimeoutMs = 2_000;

/** What engines and the driver's owner ask of volumes that are open. */
export function createManagedCalls(parts: ManagedCallsParts): Omit<ManagedVolumes, "name" | "capabilities" | "close"> {
  const { table, life, mounts, turns, folders, timeoutMs, sayStep } = parts;
  const inTurn = <Result>(
    name: string,
    call: CallOptions | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> =>
    ofVolume(name, () =>
      takeTurnWithin(turns, name, timeoutMs + cleaningMs, call, async (signal) => {
        folders.assertInPlace();
        return work(signal);
      }),
    );
  const mountpointOf = (name: string, mountPoints?: ReadonlySet<string>) =>
    mounts.pathOf(name, mountPoints) ?? table.pathOf(name);
  const toVolume = (name: string, usage?: VolumeUsage | string, mountPoints?: ReadonlySet<string>): Volume => ({
    name,
    mountpoint: mountpointOf(name, mountPoints),
    createdAt: table.createdAt(name),
    status: { ...table.statusOf(name), Mounts: mounts.holders(name).length, ...toStatus(usage) },
  });

  return {
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
    list: () =>
      inWords("volumes cannot be listed", async () => {
        const mountPoints = readMountPoints();
        return table.names().map((name) => toVolume(name, undefined, mountPoints));
      }),
    get: (name) =>
      ofVolume(name, async () => {
        table.assertThere(name);
        const usage = table.hasUsage(name) ? await table.usage(name, usageTimeoutMs).catch(toProblem) : undefined;
        table.assertThere(name); // it may have gone meanwhile
        return toVolume(name, usage);
      }),
    async remove(name, call) {
      const isMaking = life.isMaking(name);
      life.stopMaking(name);
      try {
        await inTurn(name, call, () => life.remove(name));
      } catch (error) {
        if (!isMaking || toCleatError(error).code !== "NOT_FOUND") throw error;
      }
    },
    path: (name) =>
      ofVolume(name, async () => {
        table.assertThere(name);
        return mountpointOf(name);
      }),
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
    copyOptions: (name) => table.copyOptions(name),
    takesOption: (option, given) => table.takesOption(option, given),
    isWhole: (name) => table.recordOf(name)?.state === "ready",
    holders(name) {
      table.assertThere(name);
      return mounts.holders(name);
    },
  };
}

const ofVolume = <Result>(name: string, work: () => Promise<Result>) => inWords(`volume "${name}"`, work);

/** System calls that nobody foresaw get their code here, and say what they were for. */
async function inWords<Result>(subject: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isSystemError(error) ? toCleatError(error, subject) : error;
  }
}

/** What takes no turn: it reads only. */
async function inTurnless<Result>(call: CallOptions | undefined, work: () => Promise<Result>): Promise<Result> {
  call?.signal?.throwIfAborted();
  return work();
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
