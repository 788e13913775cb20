import { hasDescriptorsToSpare } from "../syscall/index.ts";
import { isShortage } from "./shortage.ts";
import { startThread, type Thread, type ThreadEvents } from "./threads.ts";

/** Starts threads as long as there is enough of what each takes. */
export interface ThreadStarter {
  /** None where there is too little for one. */
  tryStart(): Thread | undefined;
  /** What there was too little of, when one could not be started last. */
  lack(): string;
}

/** For as long one that was refused is not asked for again: each takes some memory until that is collected. */
const refusedRestMs = 200;

export function createThreadStarter(events: ThreadEvents): ThreadStarter {
  let lack = "";
  let refusedMs = Number.NEGATIVE_INFINITY;

  return {
    tryStart() {
      if (!hasDescriptorsToSpare()) {
        lack = "too many descriptors are open";
        return undefined;
      }
      if (performance.now() - refusedMs < refusedRestMs) return undefined;
      try {
        return startThread(events);
      } catch (error) {
        // Node throws what the kernel says of a thread too many.
        if (!(error instanceof Error) || !isShortage(error)) throw error;
        refusedMs = performance.now();
        lack = `${error.message}; processes may be limited (ulimit -u, or TasksMax= of a unit of systemd)`;
        return undefined;
      }
    },
    lack: () => lack,
  };
}
