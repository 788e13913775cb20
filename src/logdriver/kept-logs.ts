import { z } from "zod";
import { logDriverProtocol } from "../protocol/index.ts";
import { openStore } from "../state/index.ts";
import type { WireInfo } from "./wire-shapes.ts";

/** Which pipe is being read, and for whom, so that the next process goes on: the engine does not tell again. */
export interface KeptLog {
  readonly file: string;
  /** As the engine sent it, environment and all. */
  readonly info: WireInfo;
  /** What a process that ended in peace had read of a frame. */
  readonly unfinished: Uint8Array;
}

export interface KeptLogs {
  readonly logs: readonly KeptLog[];
  put(log: KeptLog): Promise<void>;
  delete(file: string): Promise<void>;
  close(): Promise<void>;
}

/** By pipe. */
const log = z.strictObject({ start: logDriverProtocol.methods.startLogging.request, unfinished: z.base64() });

/** In memory only where there is no folder. @throws what `openStore` throws. */
export async function openKeptLogs(folder: string | undefined): Promise<KeptLogs> {
  if (folder === undefined) return { logs: [], async put() {}, async delete() {}, async close() {} };
  const store = await openStore({ folder, tables: { logs: log } });
  const table = store.tables.logs;
  return {
    logs: [...table.entries()].map(([file, { start, unfinished }]) => {
      return { file, info: start.Info, unfinished: Buffer.from(unfinished, "base64") };
    }),
    async put({ file, info, unfinished }) {
      const start = { File: file, Info: info };
      await table.put(file, { start, unfinished: Buffer.from(unfinished).toString("base64") });
    },
    delete: (file) => table.delete(file),
    close: () => store.close(),
  };
}
