import { CleatError } from "../../errors/index.ts";

/** An archive that no honest writer makes. `at` is the offset of the header block that the message is about. */
export function toMalformedError(at: number, message: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `tar header at byte ${at} ${message}`);
}

/** An archive whose bytes stop too early. */
export function toTruncatedError(endOffset: number, where: string): CleatError {
  return new CleatError("DATA_LOSS", `archive ends at byte ${endOffset}, ${where}`);
}
