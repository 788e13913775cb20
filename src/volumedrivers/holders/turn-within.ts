import { quoteText } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { createDeadline } from "../../transport/index.ts";
import type { Turns } from "./turns.ts";

/**
 * A turn of a volume, for a caller who waits no longer than he says, or else than `patienceMs`. `work` gets the signal
 * by which it hears that nobody waits any more.
 * @throws DEADLINE_EXCEEDED when the time is over, the reason of the caller's signal, and what `work` throws.
 */
export async function takeTurnWithin<Result>(
  turns: Turns,
  name: string,
  patienceMs: number,
  call: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = createDeadline(call?.timeoutMs ?? patienceMs, `volume ${quoteText(name)}`, call?.signal);
  try {
    return await turns.take(name, deadline.signal, () => work(deadline.signal));
  } finally {
    deadline.release();
  }
}
