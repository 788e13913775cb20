import { CleatError, type ErrorCode, TransportError } from "../errors/index.ts";
import { joinSignals, maxTimerMs } from "../transport/index.ts";
import type { Activation } from "./activations.ts";
import { backOff } from "./back-off.ts";
import type { Discovery } from "./discovery/discovery.ts";
import { pause } from "./give-up.ts";
import type { Link } from "./link.ts";

/**
 * Activates a plugin that may not be there yet, or does not answer yet: tries at once, whenever its files change, and
 * after 1, 2, 4, 8 … s. Fails after `waitMs` with what the last try failed with; at once where waiting cannot help.
 */
export async function waitForPlugin(
  link: Link,
  discovery: Discovery,
  waitMs: number,
  signal: AbortSignal,
): Promise<Activation> {
  const ended = new AbortController();
  const given = joinSignals(signal, ended.signal);
  const stop = given.signal;
  const message = `plugin "${link.name}" did not answer within ${waitMs} ms`;
  const late = new TransportError("DEADLINE_EXCEEDED", message, { reachedPeer: true });
  const timer = setTimeout(() => ended.abort(late), Math.min(waitMs, maxTimerMs));
  const pauses = backOff(waitMs);
  let alarm: Alarm | undefined;
  let pausing: Promise<void> | undefined; // goes on where a change of the files has interrupted it
  try {
    for (;;) {
      try {
        return await link.activate(stop, { insisting: true });
      } catch (error) {
        if (stop.aborted || !mayGetWell(error)) throw error;
        alarm ??= createAlarm(link.name, discovery, stop);
        pausing ??= pause(pauses.next().value ?? maxTimerMs, stop).finally(() => (pausing = undefined));
        await Promise.race([pausing, alarm.next()]);
        if (stop.aborted) throw signal.aborted ? signal.reason : error;
      }
    }
  } finally {
    clearTimeout(timer);
    ended.abort(late);
    given.release();
  }
}

/**
 * A spec file may be half written (INVALID_ARGUMENT); a socket may belong to something that is still starting, and be
 * there before its owner and mode are set (PERMISSION_DENIED).
 */
function mayGetWell(error: unknown): boolean {
  return error instanceof CleatError && passing.has(error.code);
}

const passing: ReadonlySet<ErrorCode> = new Set([
  "NOT_FOUND",
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "INVALID_ARGUMENT",
  "FAILED_PRECONDITION",
  "PERMISSION_DENIED",
]);

interface Alarm {
  /** Resolves when the plugin's files have changed since the last call. */
  next(): Promise<void>;
}

/** Where watching is not possible, it never rings: the pauses remain. */
function createAlarm(name: string, discovery: Discovery, signal: AbortSignal): Alarm {
  let ring: (() => void) | undefined;
  let rung: Promise<void> | undefined;
  const arm = () => (rung ??= new Promise<void>((resolve) => (ring = resolve)));
  const follow = async () => {
    for await (const change of discovery.watch({ signal })) {
      if (change.name !== name) continue;
      void arm();
      ring?.();
    }
  };
  follow().catch(() => {});
  return {
    async next() {
      await arm();
      rung = undefined;
    },
  };
}
