import type { Logger } from "../../transport/index.ts";
import { endAtOnce, followSignals } from "./follow-signals.ts";

interface Closing {
  close(): Promise<void>;
  readonly logger: Logger;
}

/** Signals come to the process, and so there is one list of what is to be closed then. */
const closings = new Set<Closing>();
let unfollow: (() => void) | undefined;

/**
 * Has a plugin closed when a signal ends this process, which then ends by that signal, as it would have without; a
 * second one does not wait. Where somebody else listens for the signal, the process is theirs to end. Returns what
 * undoes this.
 */
export function endWithProcess(close: () => Promise<void>, logger: Logger): () => void {
  const closing = { close, logger };
  closings.add(closing);
  unfollow ??= followSignals({ onFirst: (signal, isShared) => void closeAll(signal, isShared), onSecond: endAtOnce });
  return () => {
    closings.delete(closing);
    if (closings.size > 0) return;
    unfollow?.();
    unfollow = undefined;
  };
}

async function closeAll(signal: NodeJS.Signals, isShared: boolean): Promise<void> {
  const ending = [...closings].map(({ close, logger }) =>
    close().catch((error: unknown) => logger.error({ err: error }, "could not close")),
  );
  await Promise.all(ending); // the last one to close has ended the following
  if (!isShared) process.kill(process.pid, signal);
}
