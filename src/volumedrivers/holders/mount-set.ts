/**
 * Who has which volume mounted: for each volume the *set* of its holders, on the disk.
 *
 * - The first holder mounts, the last unmounts; a holder counts once, and one that is not there has gone already.
 * - What is mounted the kernel says (`/proc/self/mountinfo`), and never the engine, which may be waiting for an answer.
 * - "Mounting" is recorded before anything is mounted, "not held" before anything is unmounted: so whatever a process
 *   that is killed leaves, the next one knows that there may be something, and that nobody holds it. It unmounts that.
 * - A mount that has gone while it was held (somebody unmounted it) is made again when the volume is mounted next.
 * - After a reboot no holder is left: containers that come back mount again, with ids of their own. Source: moby
 *   v20.10.24 `volume/mounts/mounts.go` `Setup`, which makes an id for each; podman v4.3.1 `libpod/runtime.go`
 *   `refresh`, which sets all counts to zero.
 * - What is busy when the last holder goes is unmounted later, as soon as it is not; a holder who comes meanwhile has
 *   it.
 * - An engine that gives up a mount asks again: what is mounted without a holder waits for it for a while.
 */
import { CleatError, toCleatError } from "../../errors/index.ts";
import { createHolderRecords } from "./holder-records.ts";
import { type MountRecord, unknownHolder } from "./mount-record.ts";
import { createMountSteps, type MountedRecord, type MountStepsOptions } from "./mount-steps.ts";
import { createReleases } from "./releases.ts";
import type { Turns } from "./turns.ts";

export interface MountSetOptions extends MountStepsOptions {
  readonly turns: Turns;
  /** Looks after what an earlier process has mounted, and is held. */
  care?(name: string): Promise<void>;
  /** How long a mount without a holder waits for one. */
  readonly lingerMs: number;
}

export interface MountSet {
  /** For whoever has the volume's turn. `signal` is the caller's, who is no holder when he has gone. */
  mount(name: string, id: string, signal: AbortSignal): Promise<Mounted>;
  /** For whoever has the volume's turn. */
  unmount(name: string, id: string): Promise<void>;
  /**
   * Unmounts what nobody holds any more; for whoever has the turn.
   * @throws FAILED_PRECONDITION while it is held, or busy.
   */
  release(name: string): Promise<void>;
  holders(name: string): readonly string[];
  /** Where its files are, as long as it is mounted; `mountPoints` as above. */
  pathOf(name: string, mountPoints?: ReadonlySet<string>): string | undefined;
  /** Whether it is recorded that something of it is mounted, or may be. */
  isRecorded(name: string): boolean;
  /**
   * Settles with the kernel and the last boot what is recorded, as far as the disk takes it; what that leaves to
   * unmount is unmounted behind.
   */
  reconcile(): Promise<void>;
  /** Unmounts nothing behind any more. */
  stop(): void;
}

export interface Mounted {
  readonly path: string;
  /**
   * The holder is on the disk, whoever of those of one id was the first; waited for outside of the turn, so that
   * many at once share a flush.
   */
  readonly recorded: Promise<void>;
}

export function createMountSet(options: MountSetOptions): MountSet {
  const { records, logger, sayStep, lingerMs } = options;
  const { recordOf, putHolders, pendingOf } = createHolderRecords(records, options.bootId);
  const isUnheld = (name: string): boolean => recordOf(name)?.holders.length === 0;
  const releases = createReleases({ ...options, isUnheld, release: (name) => unmountNow(name) });
  const { mountNow, unmountNow } = createMountSteps(options, recordOf, releases);

  return {
    async mount(name, id, signal) {
      const before = recordOf(name);
      const record = isUsable(name, before, options) ? before : await mountNow(name);
      const isThere = record === before;
      if (signal.aborted) {
        const { length } = record.holders;
        if (length === 0) releases.after(name, lingerMs);
        return mounted(record.path, isThere ? undefined : records.put(name, record));
      }
      releases.forget(name);
      if (isThere && record.holders.includes(id)) return mounted(record.path, pendingOf(name));
      const holders = [...new Set([...record.holders, id])];
      return mounted(record.path, putHolders(name, { ...record, holders }));
    },
    async unmount(name, id) {
      const record = recordOf(name);
      if (record === undefined) return;
      const holders = record.holders.filter((holder) => holder !== id);
      if (holders.length < record.holders.length) await records.put(name, { ...record, holders });
      sayStep("unmount: recorded", name);
      if (holders.length > 0) return;
      try {
        await unmountNow(name);
      } catch (error) {
        releases.retry(name);
        if (toCleatError(error).code !== "FAILED_PRECONDITION") throw error;
        logger.warn({ err: error, volume: name }, "volume is busy, and unmounted when it is not any more");
      }
    },
    async release(name) {
      const record = recordOf(name);
      if (record === undefined) return;
      assertUnheld(name, record, options);
      await unmountNow(name);
    },
    holders: (name) => recordOf(name)?.holders ?? [],
    isRecorded: (name) => records.get(name) !== undefined,
    pathOf(name, mountPoints) {
      const record = recordOf(name);
      return isUsable(name, record, options, mountPoints) ? record.path : undefined;
    },
    async reconcile() {
      const names = [...records.entries()].map(([name]) => name);
      await forgetEarlierBoots(options);
      for (const name of names) {
        const record = recordOf(name);
        if (record === undefined) continue;
        if (record.holders.length === 0) releases.after(name, 0);
        else if (isUsable(name, record, options)) await careFor(name, options);
        else
          logger.warn({ volume: name, holders: record.holders.length }, "the mount of a volume that is held has gone");
      }
    },
    stop: () => releases.stop(),
  };
}

/** The machine was started anew since: nothing is mounted, and nobody holds anything. */
async function forgetEarlierBoots({ records, bootId, logger }: MountSetOptions): Promise<void> {
  const stale = [...records.entries()].filter(([, { boot }]) => boot !== bootId);
  const puts = await Promise.allSettled(stale.map(([name]) => records.put(name, { holders: [], boot: bootId })));
  const failed = puts.find((put) => put.status === "rejected");
  if (failed !== undefined) logger.warn({ err: failed.reason }, "records of an earlier boot cannot be written anew");
  if (stale.length > 0) logger.info({ volumes: stale.length }, "the machine was started anew: nothing is mounted");
}

async function careFor(name: string, options: MountSetOptions): Promise<void> {
  try {
    await options.care?.(name);
  } catch (error) {
    options.logger.warn({ err: error, volume: name }, "a volume that is mounted cannot be looked after");
  }
}

/** Whether what was mounted still is, as far as the kernel knows. */
function isUsable(
  name: string,
  record: MountRecord | undefined,
  { isMounted }: Pick<MountSetOptions, "isMounted">,
  mountPoints?: ReadonlySet<string>,
): record is MountedRecord {
  if (record?.path === undefined) return false;
  return record.isMount !== true || isMounted(name, mountPoints);
}

/** Of the unknown one nobody tells that it has gone, but the mount that it held. */
function assertUnheld(name: string, record: MountRecord, options: Pick<MountSetOptions, "isMounted">): void {
  const { length } = record.holders.filter((holder) => holder !== unknownHolder || isUsable(name, record, options));
  if (length === 0) return;
  const who = length === 1 ? "one mount" : `${length} mounts`;
  throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is in use by ${who}`);
}

/** Whoever has given up does not look whether it was recorded. */
function mounted(path: string, recorded: Promise<void> = Promise.resolve()): Mounted {
  recorded.catch(() => {});
  return { path, recorded };
}
