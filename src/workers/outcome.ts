import { CleatError, type ErrorCode, toCleatError } from "../errors/index.ts";

/** How a job ended, in a form that crosses threads: structured clone would strip an error of its code. */
export type Outcome =
  | { readonly value: unknown; readonly failed?: undefined }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string } };

export function failedOutcome(error: unknown): Outcome {
  const { code, message } = toCleatError(error);
  return { failed: { code, message } };
}

export function reviveError(failed: { readonly code: ErrorCode; readonly message: string }): CleatError {
  return new CleatError(failed.code, failed.message);
}
