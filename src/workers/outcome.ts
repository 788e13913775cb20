import { CleatError, type ErrorCode, type MissingAbility, toCleatError, UnsupportedError } from "../errors/index.ts";

/** How a job ended, in a form that crosses threads: structured clone would strip an error of its code. */
export type Outcome = { readonly value: unknown; readonly failed?: undefined } | { readonly failed: Failure };

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Of an `UnsupportedError`: what chooses between drivers asks for its reason. */
  readonly unsupported?: { readonly subject: string; readonly missing: MissingAbility } | undefined;
}

export function failedOutcome(error: unknown): Outcome {
  const failure = toCleatError(error);
  const { code, message } = failure;
  if (!(failure instanceof UnsupportedError)) return { failed: { code, message } };
  const { subject, missing } = failure;
  return { failed: { code, message, unsupported: { subject, missing } } };
}

export function reviveError({ code, message, unsupported }: Failure): CleatError {
  if (unsupported === undefined) return new CleatError(code, message);
  return new UnsupportedError(unsupported.subject, unsupported.missing);
}
