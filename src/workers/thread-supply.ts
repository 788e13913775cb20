import { availableParallelism } from "node:os";
import { CleatError } from "../errors/index.ts";
import { hasDescriptorsToSpare, markHelperEnded } from "../syscall/index.ts";
import type { JobBeside } from "./beside.ts";
import { createThreadStarter } from "./thread-starter.ts";
import type { Job, JobEnd, Thread } from "./threads.ts";

/** Threads that are started when all are busy, and kept for the next job, so many as are to be kept. */
export interface ThreadSupply {
  /**
   * Runs a job, which has waited since `askedMs`, on a thread that is free. Waits where there is too little to start
   * one with, as long as others, who give something back, are busy.
   * @throws CANCELLED when `signal` aborts before there is one, RESOURCE_EXHAUSTED when there is too little for long.
   */
  run(job: Job, askedMs: number, signal: AbortSignal | undefined): Promise<JobEnd>;
  /** Whether any job is running. */
  isBusy(): boolean;
  /** Ends the idle threads. */
  close(): Promise<void>;
}

/** How long a job waits where nothing is left to start the first thread with. */
export const shortageMs = 10_000;
/** How long until it is looked again whether there is something. */
export const shortageLookMs = 20;
/** Threads that are started as soon as they are asked for. */
const promptThreads = 4;
/**
 * For as long no thread must have come free before another one is started: jobs wait for something, not for one
 * another.
 */
const reluctanceMs = 250;

/** A job has a processor of its own; so many have another one's thread beside theirs, as each takes memory. */
const maxBeside = Math.min(availableParallelism() - 1, 4);

export function createThreadSupply(idleThreads: number): ThreadSupply {
  const idle: Thread[] = [];
  const beside = new Set<Promise<void>>();
  /** Who waits for a thread, the longest first. */
  const whenIdle = new Set<() => void>();
  /** Threads that were given to a job. */
  let taken = 0;
  /** When a thread was started, or became idle, last. */
  let movedMs = 0;
  const starter = createThreadStarter({ onEnd: forget, onBeside: startBeside });

  function forget(thread: Thread): void {
    const at = idle.indexOf(thread);
    if (at >= 0) idle.splice(at, 1);
  }

  /** Beyond the first, a thread costs more memory than short jobs that wait for one another cost time. */
  function isWorthStarting(): boolean {
    return taken < promptThreads || performance.now() - movedMs >= reluctanceMs;
  }

  function tryTake(): Thread | undefined {
    let thread = idle.pop();
    if (thread === undefined && isWorthStarting()) {
      thread = starter.tryStart();
      if (thread !== undefined) movedMs = performance.now();
    }
    if (thread !== undefined) taken++;
    return thread;
  }

  async function giveBack(thread: Thread): Promise<void> {
    if (thread.hasEnded() || idle.length >= idleThreads) await thread.end();
    else idle.push(thread);
  }

  /** It counts for none of the others, who do not wait for it: it ends with the job that asked for it. */
  function startBeside(asked: JobBeside): void {
    if (beside.size >= maxBeside || !hasDescriptorsToSpare()) return;
    const thread = idle.pop() ?? starter.tryStart();
    if (thread === undefined) return;
    const ended = runBeside(thread, asked).finally(() => beside.delete(ended));
    beside.add(ended);
  }

  async function runBeside(thread: Thread, { job, state }: JobBeside): Promise<void> {
    await thread.run(job);
    markHelperEnded(state);
    await giveBack(thread);
    wakeNext();
  }

  async function take(askedMs: number, signal: AbortSignal | undefined): Promise<Thread> {
    for (;;) {
      if (signal?.aborted === true) throw toGivenUpError(signal);
      const thread = tryTake();
      if (thread !== undefined) return thread;
      if (taken === 0 && performance.now() - askedMs > shortageMs) throw toShortageError(starter.lack());
      await untilIdle();
    }
  }

  /** Resolves when a thread has come free for this waiter, or it is time to look again; nothing is left of the wait. */
  async function untilIdle(): Promise<void> {
    let wake!: () => void;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const timer = setTimeout(wake, shortageLookMs);
    whenIdle.add(wake);
    await woken;
    clearTimeout(timer);
    whenIdle.delete(wake);
  }

  function wakeNext(): void {
    const [wake] = whenIdle;
    if (wake === undefined) return;
    whenIdle.delete(wake);
    wake();
  }

  return {
    async run(job, askedMs, signal) {
      const thread = await take(askedMs, signal);
      const end = await thread.run(job, signal);
      await giveBack(thread);
      taken--;
      movedMs = performance.now();
      wakeNext();
      return end;
    },
    isBusy: () => taken > 0,
    async close() {
      await Promise.all(beside);
      await Promise.all(idle.splice(0).map((thread) => thread.end()));
    },
  };
}

export function toGivenUpError(signal: AbortSignal | undefined): CleatError {
  return new CleatError("CANCELLED", "job was given up before it began", { cause: signal?.reason });
}

function toShortageError(what: string): CleatError {
  return new CleatError("RESOURCE_EXHAUSTED", `no thread can be started: ${what}`);
}
