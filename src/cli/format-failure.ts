import { toCleatError } from "../errors/index.ts";
import { printable } from "./printable.ts";

/** A plugin's own words may be in it. */
const maxSentenceCharacters = 4_000;

/** The line that tells of a failure on stderr. */
export function formatFailure(error: unknown): string {
  return `cleat: ${printable(sentenceOf(error), maxSentenceCharacters)}\n`;
}

function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError) return [error.message, ...error.errors.map(sentenceOf)].join(": ");
  return toCleatError(error).message;
}
