import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { CleatError } from "../errors/index.ts";
import { type Consume, createConsumer } from "./streams/consume.ts";
import { createJobRings } from "./streams/job-rings.ts";
import { type Outcome, reviveError } from "./outcome.ts";
import { createProducer, type Produce } from "./streams/produce.ts";
import { createSlots } from "./streams/slots.ts";
import { createSpool } from "./streams/spool.ts";
import { createThreadSupply, toGivenUpError, shortageLookMs, shortageMs } from "./thread-supply.ts";
import type { Job } from "./threads.ts";

/**
 * Threads that run synchronous functions of a module, one at a time each. A thread is started when all are busy, up to
 * a limit; what comes then waits its turn, and so does what comes while there is too little left to start one.
 *
 * Three eighths of the threads run jobs that stream, at the most, so that there always are some for the others: an
 * engine that commits images pipes each `diff` into an `applyDiff`. A peer who neither reads nor sends keeps a thread,
 * at the most, and nobody waiting; see `consume.ts` and `produce.ts`.
 */
export interface WorkerPool {
  /**
   * Runs `module[name](...args)` on a thread; arguments and result are cloned. The module is imported once per thread.
   * @throws whatever the function threw, as a `CleatError` of the same code.
   * @throws FAILED_PRECONDITION when the pool is closed.
   */
  readonly run: RunJob;
  /** A job that reads what a peer sends: `consume(source, (ring) => run(…, ring))`. */
  readonly consume: Consume;
  /** A job that writes what a peer reads: `produce((ring) => run(…, ring))`. */
  readonly produce: Produce;
  /**
   * The same pool for a caller who may give up: jobs that wait for a thread then do not begin, and those that run end
   * at their next step (`throwIfCancelled` in `syscall`); either rejects with CANCELLED. Streams are their readers' to
   * destroy.
   */
  within(signal: AbortSignal | undefined): WorkerPool;
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
  /** Default 16, at least 4 where jobs stream. Each takes some 14 MB, and another one for its ring where it streams. */
  readonly maxThreads?: number | undefined;
  /** Where streams of slow peers are kept, and after a crash swept; without it they keep others waiting. */
  readonly spoolFolder?: string | undefined;
}

export const defaultMaxThreads = 16;

/** How long a peer may be silent before others no longer wait for it. */
const senderPatienceMs = 1_000;
/** How long a job is waited for whose stream is not read, before that goes to a file. */
const readerPatienceMs = 25;

export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const { idleThreads = availableParallelism(), maxThreads = defaultMaxThreads, spoolFolder } = options;
  const running = new Set<Promise<unknown>>();
  const turns = createSlots(maxThreads);
  const supply = createThreadSupply(idleThreads);
  const deaths = new WeakSet<object>();
  let closed = false;

  async function runJob(job: Job, signal: AbortSignal | undefined): Promise<Outcome> {
    const askedMs = performance.now();
    for (;;) {
      const end = await supply.run(job, askedMs, signal);
      if (end.kind === "returned") return end.outcome;
      const isWorthWaiting = supply.isBusy() || performance.now() - askedMs < shortageMs;
      if (!end.isRetryable || !isWorthWaiting) throw toDeathError(end.message);
      await pause(shortageLookMs);
    }
  }

  function toDeathError(message: string): CleatError {
    const error = new CleatError("INTERNAL", message);
    deaths.add(error);
    return error;
  }

  async function runInTurn(job: Job, signal: AbortSignal | undefined): Promise<Outcome> {
    const wait = signal && { everyMs: shortageLookMs, isGivenUp: () => signal.aborted };
    if (!(await turns.take(wait))) throw toGivenUpError(signal);
    try {
      return await runJob(job, signal);
    } finally {
      turns.release();
    }
  }

  const runWithin =
    (signal?: AbortSignal): RunJob =>
    async (module, name, ...args) => {
      if (closed) throw new CleatError("FAILED_PRECONDITION", "worker pool is closed");
      const outcome = await whileRunning(runInTurn({ module: module.url, name, args }, signal));
      if (outcome.failed !== undefined) throw reviveError(outcome.failed);
      return outcome.value as never;
    };

  function whileRunning<T>(job: Promise<T>): Promise<T> {
    const ended: Promise<unknown> = job.then(ignore, ignore).then(() => running.delete(ended));
    running.add(ended);
    return job;
  }

  const rings = createJobRings((error) => deaths.has(error as object));
  const share = Math.max(1, Math.floor(maxThreads / 8));
  const spools = spoolFolder === undefined ? undefined : () => createSpool(`${spoolFolder}/${uniqueName()}`);
  const produce = createProducer({
    rings,
    slots: createSlots(share),
    createSpool: spools,
    patienceMs: readerPatienceMs,
  });

  const pool: WorkerPool = {
    run: runWithin(),
    within: (signal) => (signal === undefined ? pool : { ...pool, run: runWithin(signal) }),
    consume: createConsumer({
      rings,
      live: createSlots(share),
      whole: createSlots(share),
      createSpool: spools,
      patienceMs: senderPatienceMs,
    }),
    produce(job, release) {
      const stream = produce(job, release);
      void whileRunning(new Promise((resolve) => stream.once("close", resolve)));
      return stream;
    },
    async close() {
      closed = true;
      while (running.size > 0) await Promise.all(running);
      await supply.close();
    },
  };
  return pool;
}

function ignore(): void {}

function uniqueName(): string {
  return randomBytes(16).toString("hex");
}
