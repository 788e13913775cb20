import { TransportError } from "../errors/index.ts";

/** A deadline that can be paused and set anew, joined with the signals of those who may give up. */
export interface Deadline {
  /** Its reason is a `TransportError`: DEADLINE_EXCEEDED or CANCELLED. */
  readonly signal: AbortSignal;
  /** Starts the time anew. */
  start(): void;
  pause(): void;
  /** For good: `start` does nothing any more, and the callers' signals are not listened to. */
  release(): void;
}

/**
 * The longest that a timer can wait, 25 days; longer ones would end at once. Source: Node v20 `lib/internal/timers.js`.
 */
export const maxTimerMs = 2 ** 31 - 1;

/** A running deadline for `subject` ("/GraphDriver.Get on unix:///…"). */
export function createDeadline(
  timeoutMs: number,
  subject: string,
  ...callers: readonly (AbortSignal | undefined)[]
): Deadline {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let released = false;
  const abort = (error: TransportError) => {
    if (!controller.signal.aborted) controller.abort(error);
  };
  const onTimeout = () =>
    abort(
      new TransportError("DEADLINE_EXCEEDED", `${subject} gave no answer within ${timeoutMs} ms`, {
        reachedPeer: true,
      }),
    );
  const onCancel = (event: Event) => cancel(event.target as AbortSignal);
  const cancel = ({ reason }: AbortSignal) =>
    abort(
      new TransportError("CANCELLED", `${subject} was given up by its caller`, {
        reachedPeer: true,
        cause: reason,
      }),
    );

  const deadline: Deadline = {
    signal: controller.signal,
    start() {
      clearTimeout(timer);
      if (released) return;
      timer = setTimeout(onTimeout, Math.min(timeoutMs, maxTimerMs));
    },
    pause() {
      clearTimeout(timer);
    },
    release() {
      released = true;
      clearTimeout(timer);
      for (const caller of callers) caller?.removeEventListener("abort", onCancel);
    },
  };
  const aborted = callers.find((caller) => caller?.aborted === true);
  if (aborted !== undefined) cancel(aborted);
  else for (const caller of callers) caller?.addEventListener("abort", onCancel);
  deadline.start();
  return deadline;
}
