export interface JoinedRuns {
  runNow(): void;
  /** All calls until it runs are one. */
  runSoon(): void;
  /** No further run begins. May be called twice. */
  stop(): void;
}

/**
 * Runs `run` within `delayMs` of being asked to; what is asked during a run, after it. Two never overlap. `run` does
 * not reject.
 */
export function joinRuns(run: () => Promise<void>, delayMs: number): JoinedRuns {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  let stopped = false;

  const begin = async () => {
    clearTimeout(timer);
    timer = undefined;
    running = true;
    again = false;
    await run();
    running = false;
    if (again) runSoon();
  };
  const runSoon = () => {
    if (running) again = true;
    else if (!stopped) timer ??= setTimeout(() => void begin(), delayMs);
  };
  return {
    runNow() {
      if (running) again = true;
      else if (!stopped) void begin();
    },
    runSoon,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
