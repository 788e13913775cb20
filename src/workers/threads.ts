import { Worker } from "node:worker_threads";
import { failedOutcome, type Outcome } from "./outcome.ts";
import { type BesideState, markAskerEnded } from "../syscall/index.ts";
import type { JobBeside } from "./beside.ts";
import { isShortage } from "./shortage.ts";

/** What a thread is told to do: a function of a module, named by its URL. */
export interface Job {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What became of a job on a thread. */
export type JobEnd =
  | { readonly kind: "returned"; readonly outcome: Outcome }
  /** `isRetryable` where the job had not begun, and could on another thread, or later. */
  | { readonly kind: "thread-died"; readonly message: string; readonly isRetryable: boolean };

/** A thread of Node's that runs one job at a time. */
export interface Thread {
  hasEnded(): boolean;
  /** Tells the job when `signal` aborts; it ends at its next step (`throwIfCancelled`). */
  run(job: Job, signal?: AbortSignal): Promise<JobEnd>;
  /**
   * Ends it while no job runs, when it is done with what it does behind its answer: cut off in the middle of that, it
   * would leave its descriptors open.
   */
  end(): Promise<void>;
}

/** What a thread that is to end is told instead of a job. */
export const endOfJobs = "end";

/**
 * What a thread says: that it has loaded a job's module, once for each, that its job would have another beside
 * it, and what a job came to.
 */
export type ThreadMessage = { readonly loaded: string } | { readonly beside: JobBeside } | Outcome;

export interface ThreadEvents {
  /** The thread has died, or was terminated. */
  readonly onEnd: (thread: Thread) => void;
  /** Its job asks for another one beside it, until it is over itself. */
  readonly onBeside: (job: JobBeside) => void;
}

/** What a thread is given when it starts. */
export interface ThreadData {
  /** Not 0 when nobody wants any more what the thread runs. */
  readonly unwanted: Int32Array<SharedArrayBuffer>;
}

export function startThread({ onEnd, onBeside }: ThreadEvents): Thread {
  const unwanted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: ThreadData = { unwanted };
  const worker = new Worker(entryUrl, { resourceLimits, trackUnmanagedFds: false, ...ownFlags(), workerData });
  const loaded = new Set<string>();
  let running: { readonly module: string; readonly settle: (end: JobEnd) => void } | undefined;
  const besides = new Set<BesideState>();
  let ended = false;

  function endBesides(): void {
    for (const state of besides) markAskerEnded(state);
    besides.clear();
  }

  function markEnded(message: string, error?: Error): void {
    ended = true;
    const hasBegun = running !== undefined && loaded.has(running.module);
    const isRetryable = error !== undefined && isShortage(error) && !hasBegun;
    running?.settle({ kind: "thread-died", message, isRetryable });
    endBesides();
    onEnd(thread);
  }

  worker.on("message", (message: ThreadMessage) => {
    if ("loaded" in message) loaded.add(message.loaded);
    else if ("beside" in message) {
      besides.add(message.beside.state);
      onBeside(message.beside);
    } else running?.settle({ kind: "returned", outcome: message });
  });
  worker.on("error", (error) => markEnded(`worker thread died: ${error.message}`, error));
  worker.on("exit", () => markEnded("worker thread ended in the middle of a job"));

  const thread: Thread = {
    hasEnded: () => ended,
    async run(job, signal) {
      const giveUp = (): void => void Atomics.store(unwanted, 0, 1);
      Atomics.store(unwanted, 0, signal?.aborted === true ? 1 : 0);
      signal?.addEventListener("abort", giveUp);
      worker.ref();
      const jobEnd = await new Promise<JobEnd>((settle) => {
        running = { module: job.module, settle };
        try {
          worker.postMessage(job);
        } catch (error) {
          settle({ kind: "returned", outcome: failedOutcome(error) }); // the arguments cannot be cloned
        }
      });
      running = undefined;
      endBesides();
      signal?.removeEventListener("abort", giveUp);
      worker.unref();
      return jobEnd;
    },
    async end() {
      if (ended) return void (await worker.terminate());
      const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      worker.ref();
      worker.postMessage(endOfJobs);
      await exited;
    },
  };
  return thread;
}

/** This module stands beside the thread's own, in source form and in `dist` alike. */
const entryUrl = new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js", import.meta.url);

/** Jobs keep their data in rings and native buffers; a small heap is collected often and keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1024 };

/**
 * A thread has the flags of its process unless it is given some, among which Node takes none that are the process's
 * alone, as V8's are. With `--input-type`, which is for a program on the command line only, no thread would start.
 */
function ownFlags(): { readonly execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith("--input-type")) ? { execArgv: [] } : {};
}
