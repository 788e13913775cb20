import { CleatError } from "../../../errors/index.ts";
import { closeOnSignals } from "../../../plugin/index.ts";
import type { CommandContext } from "../../terminal/command.ts";
import type { StartedPlugin } from "./started-plugin.ts";

/** @throws CANCELLED when a signal comes first; what was started is ended. */
export async function untilSignal<T>(
  { closingSignals }: CommandContext,
  work: (onStart: (plugin: StartedPlugin) => void) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  let started: StartedPlugin | undefined;
  let isClosing = false;
  const close = async () => {
    if (done.signal.aborted) return;
    isClosing = true;
    await started?.[Symbol.asyncDispose]();
    throw new CleatError("CANCELLED", "interrupted; volumes named cleat-check-… may be left");
  };
  const interrupted = closeOnSignals({ close }, { signals: closingSignals, signal: done.signal });
  const worked = work((plugin) => (started = plugin));
  worked.catch(() => {}); // of one that was interrupted
  const found = worked.finally(() => (isClosing ? interrupted : undefined)); // a plugin that is ended fails its check
  try {
    return await Promise.race([found, interrupted.then(() => worked)]);
  } finally {
    done.abort();
  }
}
