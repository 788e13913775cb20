/** How long something may take, all in all: what several steps after one another leave of it. */
export interface Deadline {
  leftMs(): number;
}

export function deadlineIn(timeoutMs: number): Deadline {
  const untilMs = performance.now() + timeoutMs;
  return { leftMs: () => Math.max(0, untilMs - performance.now()) };
}

/**
 * What `work` resolves to; `undefined` where that takes longer than `timeoutMs`, which is told: `work` goes on. Its
 * failure is this one's.
 */
export async function within<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => void): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      onTimeout();
      resolve(undefined);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, passed]);
  } finally {
    clearTimeout(timer);
  }
}
