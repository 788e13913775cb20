import type { Logger } from "../../transport/index.ts";
import { type InitRecord, type InitStore, parseInitRecord } from "./init-record.ts";

/** The last `Init`, and who said it: in memory, and where the next process finds it. */
export interface KeptInit {
  record(): InitRecord | undefined;
  /** What an earlier process has kept. @throws DATA_LOSS when it cannot be understood. */
  load(): Promise<InitRecord | undefined>;
  /** A new one; @throws whatever the store does, and it is known all the same. */
  replace(record: InitRecord): Promise<void>;
  /** What has changed without an `Init`; where that cannot be kept, it is logged. */
  note(changed: Partial<InitRecord>): Promise<void>;
  /** The engine has let go of its store: the next process opens nothing. */
  release(): Promise<void>;
}

/** Without `state` nothing outlives this process. */
export function createKeptInit(state: InitStore | undefined, logger: Logger): KeptInit {
  let record: InitRecord | undefined;
  return {
    record: () => record,
    async load() {
      const saved = await state?.load();
      return saved === undefined ? undefined : (record = parseInitRecord(saved));
    },
    async replace(made) {
      record = made;
      await state?.save(made);
    },
    async note(changed) {
      if (record === undefined) return;
      record = { ...record, ...changed };
      await state?.save(record).catch((error: unknown) => {
        logger.warn({ err: error, ...changed }, "what the plugin serves, and to whom, could not be written down");
      });
    },
    async release() {
      if (record === undefined) return state?.clear();
      const { engine: _, ...known } = record;
      // On a disk too full to say so, that the next process opens nothing matters more than where stores are.
      await state?.save({ ...known, released: true }).catch(() => state.clear());
    },
  };
}
