import { constants } from "node:os";

/** What ends a service; SIGHUP is what a terminal sends when it is closed. */
const endingSignals: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP"];

export interface FollowSignalsOptions {
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  readonly sameSignalMs?: number | undefined;
  /** `isShared` when somebody else in this process listens for that signal, too. */
  onFirst(signal: NodeJS.Signals, isShared: boolean): void;
  onSecond(signal: NodeJS.Signals): void;
}

/** Tells of the first signal, and of each that comes more than `sameSignalMs` after it. Returns what ends that. */
export function followSignals(options: FollowSignalsOptions): () => void {
  const { signals = endingSignals, sameSignalMs = 500, onFirst, onSecond } = options;
  let firstAt: number | undefined;
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      onFirst(signal, process.listenerCount(signal) > 1);
    } else if (performance.now() - firstAt >= sameSignalMs) onSecond(signal);
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** Ends the process as a shell reports a signal. */
export function endAtOnce(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal]);
}
