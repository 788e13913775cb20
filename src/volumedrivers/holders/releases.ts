import type { Logger } from "../../transport/index.ts";
import type { Turns } from "./turns.ts";

export interface ReleasesOptions {
  readonly turns: Turns;
  readonly logger: Logger;
  /** Whether something may be mounted of the volume, and nobody holds it. */
  isUnheld(name: string): boolean;
  /** Unmounts a volume whose turn it is. */
  release(name: string): Promise<void>;
}

/** Volumes that are unmounted behind, each in its turn; what is busy is tried again, ever more rarely. */
export interface Releases {
  /** In place of what was planned for the volume before. */
  after(name: string, delayMs: number): void;
  /** As soon as what is busy is tried again. */
  retry(name: string): void;
  /** It is unmounted, or held. */
  forget(name: string): void;
  /** Unmounts nothing any more. */
  stop(): void;
}

/** How long what is busy is left alone before it is tried again, at first and at last. */
const retryMs = { first: 1_000, last: 60_000 } as const;

export function createReleases({ turns, logger, isUnheld, release }: ReleasesOptions): Releases {
  const timers = new Map<string, NodeJS.Timeout>();
  let isStopped = false;

  const forget = (name: string) => {
    clearTimeout(timers.get(name));
    timers.delete(name);
  };
  const plan = (name: string, delayMs: number, nextMs: number) => {
    forget(name);
    if (isStopped) return;
    const tryNow = () =>
      turns.take(name, undefined, async () => {
        if (isStopped || !isUnheld(name)) return;
        try {
          await release(name);
        } catch (error) {
          logger.debug({ err: error, volume: name }, "volume cannot be unmounted yet");
          plan(name, nextMs, Math.min(nextMs * 2, retryMs.last));
        }
      });
    timers.set(name, setTimeout(() => void tryNow(), delayMs).unref());
  };

  return {
    after: (name, delayMs) => plan(name, delayMs, retryMs.first),
    retry: (name) => plan(name, retryMs.first, retryMs.first),
    forget,
    stop() {
      isStopped = true;
      for (const name of timers.keys()) forget(name);
    },
  };
}
