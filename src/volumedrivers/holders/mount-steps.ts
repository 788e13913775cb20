import type { Logger } from "../../transport/index.ts";
import type { SayStep } from "../steps.ts";
import type { HolderRecords, MountRecords } from "./holder-records.ts";
import type { MountRecord } from "./mount-record.ts";
import type { Releases } from "./releases.ts";

export interface MountStepsOptions {
  readonly records: MountRecords;
  /** Mounts, and resolves to where the files are. */
  mount(name: string): Promise<string>;
  /** Takes back what `mount` did, also half of it or nothing. FAILED_PRECONDITION is that it is busy. */
  unmount(name: string): Promise<void>;
  /** Whether something is mounted at the volume's target; `mountPoints` is what there is, for who asks about many. */
  isMounted(name: string, mountPoints?: ReadonlySet<string>): boolean;
  readonly bootId: string;
  readonly logger: Logger;
  readonly sayStep: SayStep;
}

/** Of what is mounted. */
export type MountedRecord = MountRecord & { readonly path: string };

/** What mounts and unmounts, and what is recorded before and after: for whoever has the volume's turn. */
export function createMountSteps(options: MountStepsOptions, recordOf: HolderRecords["recordOf"], releases: Releases) {
  const { records, bootId, logger, sayStep } = options;

  async function unmountNow(name: string): Promise<void> {
    await options.unmount(name);
    sayStep("unmount: unmounted", name);
    releases.forget(name);
    // Whoever finds the record after a crash unmounts what is not mounted.
    records.delete(name).catch((error: unknown) => {
      logger.warn({ err: error, volume: name }, "record of a mount cannot be deleted");
    });
  }

  async function mountNow(name: string): Promise<MountedRecord> {
    const before = recordOf(name);
    const holders = before?.holders ?? [];
    await records.put(name, { holders, boot: bootId });
    sayStep("mount: recorded", name);
    try {
      if (before !== undefined) await options.unmount(name); // what is left of it
      const path = await options.mount(name);
      sayStep("mount: mounted", name);
      return { holders, path, isMount: options.isMounted(name), boot: bootId };
    } catch (error) {
      await takeBack(name, holders);
      throw error;
    }
  }

  async function takeBack(name: string, holders: readonly string[]): Promise<void> {
    try {
      await options.unmount(name);
      await (holders.length > 0 ? undefined : records.delete(name));
    } catch (error) {
      logger.warn({ err: error, volume: name }, "what a failed mount has left cannot be unmounted yet");
      if (holders.length === 0) releases.retry(name);
    }
  }

  return { mountNow, unmountNow };
}
