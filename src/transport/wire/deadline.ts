import { TransportError } from "../../errors/index.ts";

/** What an `AbortSignal` tells, without one: to make it costs more than all the rest of a small call. */
export interface GivingUp {
  readonly aborted: boolean;
  /** Why; `undefined` as long as it is not `aborted`. */
  readonly reason: unknown;
  /** Calls back once, unless it is `aborted` already. */
  onAbort(callback: () => void): void;
  offAbort(callback: () => void): void;
}

/**
 * A deadline that can be paused and set anew, joined with the signals of those who may give up. Its methods may be
 * called apart from it: callers destructure it, and hand `release` to a `finally`.
 */
export interface Deadline {
  /** Its reason is a `TransportError`: DEADLINE_EXCEEDED or CANCELLED. */
  readonly signal: AbortSignal;
  /** Starts the time anew. */
  readonly start: () => void;
  readonly pause: () => void;
  /** For good: `start` does nothing any more, and the callers' signals are not listened to. */
  readonly release: () => void;
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
): Deadline & GivingUp {
  return new RunningDeadline(timeoutMs, subject, callers);
}

/** A class, because its signal is made when somebody asks for it, as few calls need one. */
class RunningDeadline implements Deadline, GivingUp {
  readonly #timeoutMs: number;
  readonly #subject: string;
  readonly #callers: readonly (AbortSignal | undefined)[];
  readonly #onCancel = (event: Event): void => this.#cancel(event.target as AbortSignal);
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #released = false;
  #reason: TransportError | undefined;
  #callbacks: (() => void)[] = [];

  constructor(timeoutMs: number, subject: string, callers: readonly (AbortSignal | undefined)[]) {
    this.#timeoutMs = timeoutMs;
    this.#subject = subject;
    this.#callers = callers;
    const aborted = callers.find((caller) => caller?.aborted === true);
    if (aborted !== undefined) this.#cancel(aborted);
    else for (const caller of callers) caller?.addEventListener("abort", this.#onCancel);
    this.start();
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): TransportError | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  onAbort(callback: () => void): void {
    if (this.#reason === undefined) this.#callbacks.push(callback);
  }

  offAbort(callback: () => void): void {
    const at = this.#callbacks.indexOf(callback);
    if (at >= 0) this.#callbacks.splice(at, 1);
  }

  readonly start = (): void => {
    clearTimeout(this.#timer);
    if (this.#released) return;
    this.#timer = setTimeout(onTimeout, Math.min(this.#timeoutMs, maxTimerMs), this);
  };

  readonly pause = (): void => clearTimeout(this.#timer);

  readonly release = (): void => {
    this.#released = true;
    clearTimeout(this.#timer);
    for (const caller of this.#callers) caller?.removeEventListener("abort", this.#onCancel);
  };

  /** For the timer. */
  expire(): void {
    this.#abort("DEADLINE_EXCEEDED", `gave no answer within ${this.#timeoutMs} ms`);
  }

  #cancel({ reason }: AbortSignal): void {
    this.#abort("CANCELLED", "was given up by its caller", { cause: reason });
  }

  #abort(code: "CANCELLED" | "DEADLINE_EXCEEDED", what: string, because: { cause?: unknown } = {}): void {
    if (this.#reason !== undefined) return;
    this.#reason = new TransportError(code, `${this.#subject} ${what}`, { reachedPeer: true, ...because });
    this.#controller?.abort(this.#reason);
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

function onTimeout(deadline: RunningDeadline): void {
  deadline.expire();
}
