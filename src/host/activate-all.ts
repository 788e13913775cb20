import { setMaxListeners } from "node:events";
import { TransportError, toCleatError } from "../errors/index.ts";
import { joinSignals, maxTimerMs } from "../transport/index.ts";
import type { Discovery } from "./discovery/discovery.ts";
import { givenUp, unlessAborted } from "./give-up.ts";
import type { Link } from "./link.ts";

export interface AllActivated {
  readonly links: readonly Link[];
  readonly failures: readonly { readonly name: string; readonly error: Error }[];
}

/**
 * Activates every plugin there is, side by side, under one deadline. Those that are late are failures; their activation
 * goes on to a deadline of its own.
 * @throws DEADLINE_EXCEEDED when the folders could not be read in time, RESOURCE_EXHAUSTED when there are no
 * descriptors left, CANCELLED when `signal` aborts.
 */
export async function activateAll(
  discovery: Discovery,
  linkTo: (name: string) => Link,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<AllActivated> {
  const deadline = new AbortController();
  const late = (subject: string) =>
    new TransportError("DEADLINE_EXCEEDED", `${subject} within ${timeoutMs} ms`, { reachedPeer: true });
  const timer = setTimeout(() => deadline.abort(late("plugins were not all there")), Math.min(timeoutMs, maxTimerMs));
  const given = joinSignals(signal, deadline.signal);
  const stop = given.signal;
  setMaxListeners(0, stop); // each plugin listens
  try {
    const entries = await unlessAborted(discovery.scan(), stop);
    const links: Link[] = [];
    const failures: { name: string; error: Error }[] = [];
    await Promise.all(
      entries.map(async (entry) => {
        if ("error" in entry) return void failures.push(entry);
        const link = linkTo(entry.name);
        try {
          await link.activate(stop, { found: entry });
          links.push(link);
        } catch (error) {
          const isLate = error === deadline.signal.reason;
          failures.push({
            name: entry.name,
            error: isLate ? late(`plugin "${entry.name}" gave no answer`) : toCleatError(error),
          });
        }
      }),
    );
    signal?.throwIfAborted();
    return { links: links.toSorted(byName), failures: failures.toSorted(byName) };
  } catch (error) {
    throw signal?.aborted === true ? givenUp("call of all plugins", signal) : error;
  } finally {
    clearTimeout(timer);
    given.release();
  }
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
