import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { CleatError } from "../errors/index.ts";
import { hasDescriptorsToSpare } from "../syscall/index.ts";
import { type Consume, createConsumer } from "./streams/consume.ts";
import { createJobRings } from "./streams/job-rings.ts";
import { type Outcome, reviveError } from "./outcome.ts";
import { createProducer, type Produce } from "./streams/produce.ts";
import { createSlots } from "./streams/slots.ts";
import { createSpool } from "./streams/spool.ts";
import { type Job, startThread, type Thread } from "./threads.ts";

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
  /** How long a peer may be silent before others no longer wait for it; default a second. */
  readonly senderPatienceMs?: number;
  /** How long a job is waited for whose stream is not read, before that goes to a file; default 25 ms. */
  readonly readerPatienceMs?: number;
}

export const defaultMaxThreads = 16;

/** How long a job waits where nothing is left to start the first thread with. */
const shortageMs = 10_000;
/** Threads that are started as soon as they are asked for. */
const promptThreads = 4;
/**
 * For as long no thread must have come free before another one is started: jobs wait for something, not for one
 * another.
 */
const reluctanceMs = 250;
const lookMs = 20;

export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const { idleThreads = availableParallelism(), maxThreads = defaultMaxThreads, spoolFolder } = options;
  const idle: Thread[] = [];
  const running = new Set<Promise<unknown>>();
  const threads = createSlots(maxThreads);
  const deaths = new WeakSet<object>();
  const whenIdle: (() => void)[] = [];
  /** Threads that were given to a job. */
  let taken = 0;
  /** When a thread was started, or became idle, last. */
  let movedMs = 0;
  let closed = false;

  function forget(thread: Thread): void {
    const at = idle.indexOf(thread);
    if (at >= 0) idle.splice(at, 1);
  }

  async function runOn(thread: Thread, job: Job, signal: AbortSignal | undefined) {
    const end = await thread.run(job, signal);
    if (thread.hasEnded() || idle.length >= idleThreads) await thread.terminate();
    else idle.push(thread);
    taken--;
    movedMs = performance.now();
    whenIdle.shift()?.();
    return end;
  }

  /** Beyond the first, a thread costs more memory than short jobs that wait for one another cost time. */
  function isWorthStarting(): boolean {
    return taken < promptThreads || performance.now() - movedMs >= reluctanceMs;
  }

  function tryTakeThread(): Thread | undefined {
    let thread = idle.pop();
    if (thread === undefined && isWorthStarting() && hasDescriptorsToSpare()) {
      movedMs = performance.now();
      thread = startThread(forget);
    }
    if (thread !== undefined) taken++;
    return thread;
  }

  /** Waits where there is too little to start a thread with, as long as others, who give something back, are busy. */
  async function takeThread(startedMs: number, signal: AbortSignal | undefined): Promise<Thread> {
    for (;;) {
      throwIfGivenUp(signal);
      const thread = tryTakeThread();
      if (thread !== undefined) return thread;
      if (taken === 0 && performance.now() - startedMs > shortageMs) throw tooLittle("too many descriptors are open");
      await Promise.race([new Promise<void>((resolve) => whenIdle.push(resolve)), pause(lookMs)]);
    }
  }

  async function runJob(job: Job, signal: AbortSignal | undefined): Promise<Outcome> {
    const startedMs = performance.now();
    for (;;) {
      const thread = await takeThread(startedMs, signal);
      const end = await runOn(thread, job, signal);
      if (end.kind === "returned") return end.outcome;
      const isWorthWaiting = taken > 0 || performance.now() - startedMs < shortageMs;
      if (!end.isRetryable || !isWorthWaiting) throw toDeathError(end.message);
      await pause(lookMs);
    }
  }

  function toDeathError(message: string): CleatError {
    const error = new CleatError("INTERNAL", message);
    deaths.add(error);
    return error;
  }

  async function runInTurn(job: Job, signal: AbortSignal | undefined): Promise<Outcome> {
    const wait = signal && { everyMs: lookMs, isGivenUp: () => signal.aborted };
    if (!(await threads.take(wait))) throw givenUp(signal);
    try {
      return await runJob(job, signal);
    } finally {
      threads.release();
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
    patienceMs: options.readerPatienceMs ?? 25,
  });

  const pool: WorkerPool = {
    run: runWithin(),
    within: (signal) => (signal === undefined ? pool : { ...pool, run: runWithin(signal) }),
    consume: createConsumer({
      rings,
      live: createSlots(share),
      whole: createSlots(share),
      createSpool: spools,
      patienceMs: options.senderPatienceMs ?? 1_000,
    }),
    produce(job, release) {
      const stream = produce(job, release);
      void whileRunning(new Promise((resolve) => stream.once("close", resolve)));
      return stream;
    },
    async close() {
      closed = true;
      while (running.size > 0) await Promise.all(running);
      await Promise.all(idle.splice(0).map((thread) => thread.terminate()));
    },
  };
  return pool;
}

function ignore(): void {}

function uniqueName(): string {
  return randomBytes(16).toString("hex");
}

function throwIfGivenUp(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw givenUp(signal);
}

function givenUp(signal: AbortSignal | undefined): CleatError {
  return new CleatError("CANCELLED", "job was given up before it began", { cause: signal?.reason });
}

function tooLittle(what: string): CleatError {
  return new CleatError("RESOURCE_EXHAUSTED", `no thread can be started: ${what}`);
}
