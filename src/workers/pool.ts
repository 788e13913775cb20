import { Worker } from "node:worker_threads";
import { availableParallelism } from "node:os";
import { CleatError } from "../errors/index.ts";
import { type Outcome, reviveError } from "./outcome.ts";

/**
 * Threads that run synchronous functions of a module, one at a time each. The pool starts a thread whenever all are busy,
 * because a job may block on a ring that only another job will empty (an engine that commits an image pipes one `diff`
 * into one `applyDiff`): a fixed number of threads would let as many commits stop each other for good.
 */
export interface WorkerPool {
  /**
   * Runs `module[name](...args)` on a thread; arguments and result are cloned. The module is imported once per thread.
   * @throws whatever the function threw, as a `CleatError` of the same code.
   * @throws RESOURCE_EXHAUSTED when `maxThreads` are busy.
   */
  run<Module extends object, Name extends FunctionNames<Module>>(
    module: ModuleReference<Module>,
    name: Name,
    ...args: Parameters<FunctionOf<Module, Name>>
  ): Promise<Awaited<ReturnType<FunctionOf<Module, Name>>>>;
  /** Waits for running jobs, then ends the threads. May be called twice. */
  close(): Promise<void>;
}

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
  /** Hard limit; default 64, each of about 10 MB. */
  readonly maxThreads?: number;
}

interface Thread {
  readonly worker: Worker;
  settle: ((outcome: Outcome) => void) | undefined;
  ended: boolean;
}

export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const { idleThreads = availableParallelism(), maxThreads = 64 } = options;
  const idle: Thread[] = [];
  const busy = new Map<Thread, Promise<Outcome>>();
  let closed = false;

  function start(): Thread {
    const worker = new Worker(entryUrl, { resourceLimits, trackUnmanagedFds: false });
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
    busy.set(thread, promise);
    thread.worker.ref();
    thread.worker.postMessage(job);
    const outcome = await promise;
    thread.settle = undefined;
    busy.delete(thread);
    thread.worker.unref();
    if (closed || thread.ended || idle.length >= idleThreads) await thread.worker.terminate();
    else idle.push(thread);
    return outcome;
  }

  return {
    async run(module, name, ...args) {
      if (closed) throw new CleatError("FAILED_PRECONDITION", "worker pool is closed");
      if (busy.size >= maxThreads) {
        throw new CleatError("RESOURCE_EXHAUSTED", `worker pool has all its ${maxThreads} threads busy`);
      }
      const outcome = await runOn(idle.pop() ?? start(), { module: module.url, name, args });
      if (outcome.failed !== undefined) throw reviveError(outcome.failed);
      return outcome.value as never;
    },
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
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
