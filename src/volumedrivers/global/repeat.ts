export interface Repetition {
  /** Resolves when what runs has ended. */
  stop(): Promise<void>;
}

/** Does it at once, and again and again a while after it has ended; `signal` aborts when it is to end. */
export function repeat(pauseMs: number, work: (signal: AbortSignal) => Promise<number | void>): Repetition {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const workAndPlan = async () => {
    const nextMs = (await work(ending.signal)) ?? pauseMs;
    if (!ending.signal.aborted) timer = setTimeout(() => (running = workAndPlan()), nextMs).unref();
  };
  let running = workAndPlan();
  return {
    async stop() {
      ending.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
