/** A number of places, handed out in the order in which they were asked for. */
export interface Slots {
  /** Runs `work` once a place is free, and gives the place back however that ends. */
  within<T>(work: () => Promise<T>): Promise<T>;
  /** Takes a place that is free now; it is `release`'s to give back. */
  tryTake(): boolean;
  /** Waits for a place; false when the wait was given up. */
  take(wait?: Wait): Promise<boolean>;
  release(): void;
}

/** What is looked at again and again by who waits. */
export interface Wait {
  readonly everyMs: number;
  isGivenUp(): boolean;
}

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  function tryTake(): boolean {
    if (free === 0) return false;
    free--;
    return true;
  }

  async function take(wait?: Wait): Promise<boolean> {
    if (tryTake()) return true;
    return new Promise((resolve) => {
      const timer = wait === undefined ? undefined : setInterval(look, wait.everyMs);
      waiting.push(settle);
      function look(): void {
        if (wait?.isGivenUp() !== true) return;
        clearInterval(timer);
        waiting.splice(waiting.indexOf(settle), 1);
        resolve(false);
      }
      function settle(): void {
        clearInterval(timer);
        resolve(true);
      }
    });
  }

  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }

  return {
    tryTake,
    take,
    release,
    async within(work) {
      await take();
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
