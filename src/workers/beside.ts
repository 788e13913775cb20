import { parentPort, workerData } from "node:worker_threads";
import type { BesideState } from "../syscall/index.ts";
import type { Job, ThreadData } from "./threads.ts";

/** A job that helps another one, which brings along the memory that both share. */
export interface JobBeside {
  readonly job: Job;
  readonly state: BesideState;
}

/**
 * Asks for a thread that runs `job` beside the one that calls, which goes on by itself until somebody is there:
 * whether one comes is the pool's to say, which starts none where no processor is left for it. A thread that is
 * not a pool's asks nobody.
 */
export function askBeside(beside: JobBeside): void {
  const isPoolThread = (workerData as Partial<ThreadData> | null)?.unwanted !== undefined;
  if (isPoolThread) parentPort?.postMessage({ beside });
}
