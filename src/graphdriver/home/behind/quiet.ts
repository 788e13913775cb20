import { setTimeout as pauseFor } from "node:timers/promises";

/**
 * When engines ask for nothing: then is the time for what nobody waits for, and which keeps disk and processor busy.
 */
export interface Quiet {
  /** An engine asks for something. */
  touch(): void;
  /** Resolves when nobody has asked for anything for a while, or when that has been waited for long enough. */
  until(): Promise<void>;
}

/** For as long nobody must have asked for anything. */
const quietMs = 30;
/** How long one waits for that at most, so that what is removed in a busy hour is deleted in it, too. */
const patienceMs = 500;

export interface Clock {
  now(): number;
  /** Comes back early when `signal` aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now(),
  pause: (ms, signal) => pauseFor(ms, undefined, { signal }).catch(() => {}),
};

/** All who wait at one time wait for the same moment. When `signal` aborts nobody waits any more. */
export function createQuiet(signal: AbortSignal, { now, pause }: Clock = realClock): Quiet {
  let touchedMs = Number.NEGATIVE_INFINITY;
  let waiting: Promise<void> | undefined;

  async function wait(): Promise<void> {
    const untilMs = now() + patienceMs;
    for (let restMs = restOfNoise(); restMs > 0 && now() < untilMs && !signal.aborted; restMs = restOfNoise()) {
      await pause(restMs, signal);
    }
    waiting = undefined;
  }

  const restOfNoise = (): number => touchedMs + quietMs - now();

  return {
    touch() {
      touchedMs = now();
    },
    until: () => (waiting ??= wait()),
  };
}
