import { z } from "zod";
import { decodeValue, goBytes, logDriverProtocol } from "../protocol/index.ts";
import type { WireInfo } from "./wire-shapes.ts";

/** Which pipes are being read, and for whom, so that the next process goes on: the engine does not tell again. */
export interface KeptLog {
  readonly file: string;
  /** As the engine sent it, environment and all: keep it where only the plugin reads. */
  readonly info: WireInfo;
  /** What a process that ended in peace had read of a frame. */
  readonly unfinished: Uint8Array;
}

/** Where they are kept, as one JSON value; `createStateFile` of `cleat/plugin` makes one. */
export interface LogStateStore {
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

const start = logDriverProtocol.methods.startLogging.request;
const kept = z.object({
  version: z.literal(1),
  logs: z.array(z.object({ start, unfinished: goBytes })),
});

export interface KeptLogs {
  /** @throws DATA_LOSS when what is kept is nothing that this version has written. */
  load(): Promise<readonly KeptLog[]>;
  /** Saves run one after the other, and those that nobody has begun are one. */
  save(logs: readonly KeptLog[]): Promise<void>;
}

export function createKeptLogs(store: LogStateStore | undefined): KeptLogs {
  let last: Promise<void> = Promise.resolve();
  let next: { logs: readonly KeptLog[]; readonly saved: Promise<void> } | undefined;
  return {
    async load() {
      const value = await store?.load();
      if (value === undefined) return [];
      const { logs } = decodeValue(kept, value, "kept logs", "DATA_LOSS");
      return logs.map(({ start: { File, Info }, unfinished }) => ({ file: File, info: Info, unfinished }));
    },
    save(logs) {
      if (store === undefined) return Promise.resolve();
      if (next !== undefined) {
        next.logs = logs;
        return next.saved;
      }
      const mine = { logs, saved: last.catch(() => {}).then(write) };
      async function write(): Promise<void> {
        next = undefined;
        const rows = mine.logs.map(({ file, info, unfinished }) => ({
          start: { File: file, Info: info },
          unfinished: Buffer.from(unfinished).toString("base64"),
        }));
        await store?.save({ version: 1, logs: rows });
      }
      next = mine;
      last = mine.saved;
      return mine.saved;
    },
  };
}
