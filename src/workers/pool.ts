import { Worker } from "node:worker_threads";
import { availableParallelism } from "node:os";
import { CleatError } from "../errors/index.ts";
import { failedOutcome, type Outcome, reviveError } from "./outcome.ts";
import { createSlots } from "./slots.ts";

/**
 * Threads that run synchronous functions of a module, one at a time each. A thread is started when all are busy, up to a
 * limit; what comes then waits its turn.
 */
export interface WorkerPool {
  /**
   * Runs `module[name](...args)` on a thread; arguments and result are cloned. The module is imported once per thread.
   * @throws whatever the function threw, as a `CleatError` of the same code.
   * @throws FAILED_PRECONDITION when the pool is closed.
   */
  run: RunJob;
  /**
   * As `run`, for a job that writes into a ring and so may block until somebody reads. At most half of the threads run such
   * jobs: an engine that commits images pipes each `diff` into an `applyDiff`, and if diffs could take every thread, they
   * would wait for good for the jobs that empty them.
   */
  produce: RunJob;
  /** As `run`, for a job that reads from a ring and so may wait for a peer: at most a quarter of the threads run such jobs. */
  consume: RunJob;
  /** Waits for running jobs, then ends the threads. May be called twice. */
  close(): Promise<void>;
}

export type RunJob = <Module extends object, Name extends FunctionNames<Module>>(
  module: ModuleReference<Module>,
  name: Name,
  ...args: Parameters<FunctionOf<Module, Name>>
) => Promise<Awaited<ReturnType<FunctionOf<Module, Name>>>>;

/** A module by its URL, with its type along: `{ url: import.meta.url } as ModuleReference<typeof import("./x.ts")>`. */
export interface ModuleReference<Module> {
  readonly url: string;
  readonly exports?: Module;
}

type FunctionNames<Module> = {
  [Name in keyof Module]: Module[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Module] &
  string;
type FunctionOf<Module, Name extends keyof Module> = Module[Name] extends (...args: infer A) => infer R
  ? (...args: A) => R
  : never;

export interface WorkerPoolOptions {
  /** Threads kept while idle; default is the number of cores. */
  readonly idleThreads?: number;
  /** Default 32, each of about 10 MB. */
  readonly maxThreads?: number;
}

interface Thread {
  readonly worker: Worker;
  settle: ((outcome: Outcome) => void) | undefined;
  ended: boolean;
}

export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const { idleThreads = availableParallelism(), maxThreads = 32 } = options;
  const idle: Thread[] = [];
  /** Settled once the thread is idle again, or gone. */
  const busy = new Map<Thread, Promise<Outcome>>();
  const threads = createSlots(maxThreads);
  const producers = createSlots(Math.ceil(maxThreads / 2));
  const consumers = createSlots(Math.ceil(maxThreads / 4));
  let closed = false;

  function start(): Thread {
    const worker = new Worker(entryUrl, { resourceLimits, trackUnmanagedFds: false, execArgv: ownFlags() });
    const thread: Thread = { worker, settle: undefined, ended: false };
    const end = (message: string): void => {
      thread.ended = true;
      thread.settle?.({ failed: { code: "INTERNAL", message } });
      const at = idle.indexOf(thread);
      if (at >= 0) idle.splice(at, 1);
    };
    worker.on("message", (outcome: Outcome) => thread.settle?.(outcome));
    worker.on("error", (error) => end(`worker thread died: ${error.message}`));
    worker.on("exit", () => end("worker thread ended in the middle of a job"));
    return thread;
  }

  async function runOn(thread: Thread, job: unknown): Promise<Outcome> {
    const { promise, resolve } = withResolvers<Outcome>();
    thread.settle = resolve;
    thread.worker.ref();
    try {
      thread.worker.postMessage(job);
    } catch (error) {
      resolve(failedOutcome(error)); // the arguments cannot be cloned
    }
    const outcome = await promise;
    thread.settle = undefined;
    thread.worker.unref();
    if (closed || thread.ended || idle.length >= idleThreads) await thread.worker.terminate();
    else idle.push(thread);
    busy.delete(thread);
    return outcome;
  }

  const run: RunJob = (module, name, ...args) =>
    threads.within(async () => {
      if (closed) throw new CleatError("FAILED_PRECONDITION", "worker pool is closed");
      const thread = idle.pop() ?? start();
      const running = runOn(thread, { module: module.url, name, args });
      busy.set(thread, running);
      const outcome = await running;
      if (outcome.failed !== undefined) throw reviveError(outcome.failed);
      return outcome.value as never;
    });

  return {
    run,
    produce: (module, name, ...args) => producers.within(() => run(module, name, ...args)),
    consume: (module, name, ...args) => consumers.within(() => run(module, name, ...args)),
    async close() {
      closed = true;
      await Promise.all(busy.values());
      await Promise.all(idle.splice(0).map(({ worker }) => worker.terminate()));
    },
  };
}

/** This module stands beside the thread's own, in source form and in `dist` alike. */
const entryUrl = new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js", import.meta.url);

/** Jobs keep their data in rings and native buffers; a small heap is collected often and keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1024 };

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Those of the process, but for the one that Node takes with a program of its command line only. */
function ownFlags(): string[] {
  return process.execArgv.filter((flag) => !flag.startsWith("--input-type"));
}
