import { setMaxListeners } from "node:events";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { createDeadline, type Logger } from "../../transport/index.ts";
import { createHidingLogger, hideSecrets, holdsSecret } from "./hide-secrets.ts";
import type { VolumeCall, VolumeCare } from "./volume-backend.ts";

/** How a backend is called: with a deadline, and so that what it throws says whose volume it is, and no secret. */
export interface BackendCalls {
  /** `cannot`: "cannot be mounted". */
  run<Result>(subject: CallSubject, work: (call: BackendCall) => Promise<Result>): Promise<Result>;
  /** For what goes on when a call has ended; what it logs shows no secret. */
  careFor(secrets: readonly string[]): VolumeCare;
  /** Aborts what runs. */
  stop(): void;
}

export interface BackendCall extends VolumeCall {
  /** Runs what takes as long as it takes: the deadline begins anew behind it. */
  untimed<Result>(work: () => Promise<Result>): Promise<Result>;
}

export interface CallSubject {
  readonly name: string;
  readonly cannot: string;
  readonly secrets: readonly string[];
  readonly timeoutMs?: number;
  /** Aborts it, beside the deadline. */
  readonly signal?: AbortSignal | undefined;
}

export function createBackendCalls(defaultTimeoutMs: number, logger: Logger): BackendCalls {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // one for each call that runs
  const careFor = (secrets: readonly string[]): VolumeCare => ({
    closing: ending.signal,
    logger: createHidingLogger(logger, secrets),
  });
  return {
    careFor,
    async run({ name, cannot, secrets, timeoutMs = defaultTimeoutMs, signal: own }, work) {
      const subject = `volume "${name}" ${cannot}`;
      const deadline = createDeadline(timeoutMs, subject, own, ending.signal);
      try {
        return await work({
          ...careFor(secrets),
          signal: deadline.signal,
          async untimed(long) {
            deadline.pause();
            try {
              return await long();
            } finally {
              deadline.start();
            }
          },
        });
      } catch (error) {
        throw describe(error, subject, secrets, deadline.signal, timeoutMs);
      } finally {
        deadline.release();
      }
    },
    stop: () => ending.abort(new CleatError("CANCELLED", "driver is closed")),
  };
}

function describe(
  error: unknown,
  subject: string,
  secrets: readonly string[],
  signal: AbortSignal,
  timeoutMs: number,
): CleatError {
  const { code: deadlineCode } = signal.aborted ? toCleatError(signal.reason) : { code: undefined };
  if (deadlineCode === "DEADLINE_EXCEEDED") {
    return new CleatError("DEADLINE_EXCEEDED", `${subject}: that was not done within ${timeoutMs} ms`);
  }
  const { code, message } = toCleatError(error);
  const shown = hideSecrets(`${subject}: ${message}`, secrets);
  return new CleatError(deadlineCode ?? code, shown, holdsSecret(error, secrets) ? {} : { cause: error });
}
