/** A signal that aborts with the first of others, for as long as it is needed. */
export interface JoinedSignal extends Disposable {
  readonly signal: AbortSignal;
  /** The others are not listened to any more. May be called twice. */
  release(): void;
}

/**
 * Joins signals, of which some may live as long as the process. `AbortSignal.any` leaves something of each call with
 * such a one (Node 20: a hundred bytes; nodejs/node issue 55351), and takes milliseconds now and then to tidy that
 * up (Node 22). Whoever joins calls `release`.
 */
export function joinSignals(...signals: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const controller = new AbortController();
  const given = signals.filter((signal) => signal !== undefined);
  const onAbort = (event: Event): void => abort(event.target as AbortSignal);
  const release = (): void => given.forEach((signal) => signal.removeEventListener("abort", onAbort));
  const abort = ({ reason }: AbortSignal): void => {
    release();
    controller.abort(reason);
  };
  const aborted = given.find((signal) => signal.aborted);
  if (aborted !== undefined) controller.abort(aborted.reason);
  else for (const signal of given) signal.addEventListener("abort", onAbort);
  return { signal: controller.signal, release, [Symbol.dispose]: release };
}
