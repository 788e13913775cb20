import { toCleatError } from "../../errors/index.ts";
import { printable } from "./printable.ts";

/** A plugin's own words may be in it. */
const maxSentenceCharacters = 4_000;

/** The line that tells of a failure on stderr. */
export function formatFailure(error: unknown): string {
  return `cleat: ${printable(shortenWords(sentenceOf(error)), maxSentenceCharacters)}\n`;
}

/** A name may be as long as the kernel takes it, and the reason comes after it. */
function shortenWords(sentence: string): string {
  return sentence.replace(/\S{256,}/g, (word) => `${word.slice(0, 120)}…${word.slice(-40)}`);
}

function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError) return [error.message, ...error.errors.map(sentenceOf)].join(": ");
  return toCleatError(error).message;
}
