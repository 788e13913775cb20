import { constants, type FileHandle, open } from "node:fs/promises";
import { syncfsBehind } from "../../syscall/index.ts";

/** Makes a home's file system durable; who asks while that runs is served together by the next run. */
export interface HomeSync {
  sync(): Promise<void>;
  /** Waits for what runs. */
  close(): Promise<void>;
}

export async function openHomeSync(home: string): Promise<HomeSync> {
  const folder: FileHandle = await open(home, constants.O_RDONLY | constants.O_DIRECTORY);
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = () => (running = syncfsBehind(folder.fd).finally(() => (running = undefined)));
  const afterRunning = async (): Promise<void> => {
    await running?.catch(() => {}); // its own callers are told
    next = undefined;
    await run();
  };
  return {
    // What was written after a run began may not be in it.
    sync: () => (running === undefined && next === undefined ? run() : (next ??= afterRunning())),
    async close() {
      await Promise.allSettled([running, next]);
      await folder.close();
    },
  };
}
