/**
 * What happens, for tracers and meters: every call that a plugin answers, or a snapshotter, is published on the tracing
 * channel `cleat:call` of `node:diagnostics_channel` (`tracing:cleat:call:start`, `:end`, `:asyncStart`, `:asyncEnd`,
 * `:error`). Where nobody listens, nothing is made for it.
 */
import { tracingChannel } from "node:diagnostics_channel";
import type { ErrorCode } from "../../errors/index.ts";

/** One object for each call; the same one in all of its events. */
export interface TracedCall {
  /** "VolumeDriver", "containerd.services.snapshots.v1.Snapshots". */
  readonly subsystem: string;
  /** "Mount"; "?" of a method that is not there. */
  readonly method: string;
  /** What the call is about, once that is read: a volume's name. */
  subject?: unknown;
  /** Of a failure; set before `error` and `asyncEnd`. */
  code?: ErrorCode | undefined;
  /** Why it failed. */
  error?: unknown;
}

/** Its name in `node:diagnostics_channel` is `tracing:cleat:call:start` and so on. */
export const callChannel = tracingChannel<TracedCall, TracedCall>("cleat:call");

/** Of a call of a method that is not there: what a stranger made up names no metric. */
const unknown = { subsystem: "?", method: "?" } as const;

/**
 * Runs a call, and publishes it where somebody listens. `run` may add to what is told; it never rejects, and a failure
 * is what it leaves in `code`.
 */
export function traceCall<T>(path: string | undefined, run: (call: TracedCall | undefined) => Promise<T>): Promise<T> {
  if (!callChannel.hasSubscribers) return run(undefined);
  const call: TracedCall = path === undefined ? { ...unknown } : splitPath(path);
  return callChannel.tracePromise(async () => {
    const answer = await run(call);
    if (call.code !== undefined) callChannel.error.publish(call);
    return answer;
  }, call);
}

/** "/VolumeDriver.Mount", "/containerd.services.snapshots.v1.Snapshots/Stat". */
function splitPath(path: string): TracedCall {
  const slash = path.lastIndexOf("/");
  const cut = slash > 0 ? slash : path.lastIndexOf(".");
  return { subsystem: path.slice(1, cut), method: path.slice(cut + 1) };
}
