import { CleatError } from "../../errors/index.ts";
import type { Store } from "../../state/index.ts";
import type { Logger } from "../../transport/index.ts";
import { assertVolumeName } from "../../volume/index.ts";
import { isMountPoint } from "../mounting/mount-file-system.ts";
import type { MountSet } from "../holders/mount-set.ts";
import type { Turns } from "../holders/turns.ts";
import type { GivenOptions } from "../options/read-options.ts";
import type { SayStep } from "../steps.ts";
import { createResizing } from "./resizing.ts";
import { createSources } from "./volume-sources.ts";
import type { VolumeFolders } from "./volume-folders.ts";
import type { volumeTables } from "./volume-record.ts";
import type { VolumeTable } from "./volume-table.ts";

/**
 * How volumes come and go. What is begun is recorded first: so one that is half made or half removed when the process
 * is killed is known as such, and removed by the next.
 */
export interface LifeCycle {
  create(name: string, given: GivenOptions, signal: AbortSignal): Promise<void>;
  /** As `create` of one that is not there yet, and done when `fill` has filled it: until then nobody sees it. */
  createFilled(name: string, given: GivenOptions, fill: FillVolume, signal: AbortSignal): Promise<void>;
  remove(name: string): Promise<void>;
  /**
   * Gives it another size, which is recorded first: one that is half given when the process is
   * killed is given by the next.
   */
  resize(name: string, sizeBytes: number): Promise<void>;
  /** Whether it is being made now, also where whoever asked for it waits no longer. */
  isMaking(name: string): boolean;
  /** Stops making it, if it is being made: it will not be there. */
  stopMaking(name: string): void;
  /**
   * Removes behind what a process that was killed had half made or half removed, and gives the
   * sizes that it had half given.
   */
  finishBegun(): void;
}

/** Makes the files of a volume that is mounted at `path`. */
export type FillVolume = (path: string) => Promise<void>;

export interface LifeCycleParts {
  readonly store: Store<typeof volumeTables>;
  readonly turns: Turns;
  readonly table: VolumeTable;
  readonly mounts: MountSet;
  readonly folders: VolumeFolders;
  readonly sayStep: SayStep;
  readonly logger: Logger;
}

export function createLifeCycle({ store, turns, table, mounts, folders, sayStep, logger }: LifeCycleParts): LifeCycle {
  const { volumes } = store.tables;
  const sources = createSources({ turns, table, mounts });
  const making = new Map<string, AbortController>();

  const takeOut = async (name: string) => {
    // Of one that was being filled, which nobody held.
    if (isMountPoint(folders.targetOf(name))) await table.unmount(name);
    else await folders.removeTarget(name);
    await table.remove(name);
    sayStep("remove: removed", name);
    await folders.discard(name);
    sayStep("remove: taken out", name);
    await store.transact((tables) => {
      tables.volumes.delete(name);
      tables.mounts.delete(name);
    });
    sayStep("remove: acknowledged", name);
    folders.emptyTrash();
  };

  const make = async (name: string, given: GivenOptions, signal: AbortSignal, fill?: FillVolume) => {
    assertVolumeName(name);
    const wanted = table.check(given);
    const state = table.recordOf(name)?.state;
    if (state === "ready" && fill !== undefined) throw new CleatError("ALREADY_EXISTS", `volume "${name}" exists`);
    if (state === "ready") return table.assertSame(name, given);
    if (state !== undefined) await takeOut(name); // what is left of another
    await folders.assertUnused(name); // before it is recorded as half made, and deleted by whoever finds that
    await volumes.put(name, { ...wanted, created: new Date().toISOString(), state: "creating" });
    sayStep("create: recorded", name);
    const stopping = new AbortController();
    making.set(name, stopping);
    try {
      await table.create(name, sources.reading(signal), stopping.signal);
      if (fill !== undefined) {
        await fill(await table.mount(name));
        await table.unmount(name);
      }
    } catch (error) {
      await takeOut(name).catch((cleaning: unknown) => {
        logger.warn({ err: cleaning, volume: name }, "what a failed creation has left cannot be removed yet");
      });
      throw error;
    } finally {
      making.delete(name);
    }
    sayStep("create: made", name);
    const record = table.recordOf(name);
    if (record === undefined) throw new CleatError("INTERNAL", `volume "${name}" was lost while it was made`);
    await volumes.put(name, { ...record, state: "ready" });
    sayStep("create: acknowledged", name);
  };

  const resizing = createResizing({ volumes, turns, table, sayStep, logger });

  return {
    create: (name, given, signal) => make(name, given, signal),
    createFilled: (name, given, fill, signal) => make(name, given, signal, fill),
    async remove(name) {
      table.assertKnown(name);
      sources.assertUnread(name);
      await mounts.release(name);
      folders.assertRemovable(name); // what is refused is not half removed, and so not finished behind
      const record = table.recordOf(name);
      if (record?.state === "ready") await table.assertRemovable(name);
      if (record?.state === "ready") await volumes.put(name, { ...record, state: "removing" });
      sayStep("remove: recorded", name);
      await takeOut(name);
    },
    resize: resizing.resize,
    isMaking: (name) => making.has(name),
    stopMaking: (name) => making.get(name)?.abort(new CleatError("CANCELLED", "it was removed while it was made")),
    finishBegun() {
      for (const [name, { state, resizingTo }] of volumes.entries()) {
        if (resizingTo !== undefined) resizing.finishBehind(name);
        if (state === "ready") continue;
        const remove = async () => {
          if (table.recordOf(name)?.state === "ready") return; // made anew meanwhile
          if (table.recordOf(name) !== undefined) await takeOut(name);
        };
        turns.take(name, undefined, remove).catch((error: unknown) => {
          logger.warn({ err: error, volume: name }, "what is half removed cannot be removed yet");
        });
      }
    },
  };
}
