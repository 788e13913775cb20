import { CleatError } from "../../errors/index.ts";

const maxShown = 200;

export function malformedFilter(text: string, at: number, problem: string): CleatError {
  const shown = text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`;
  return new CleatError("INVALID_ARGUMENT", `filter ${JSON.stringify(shown)} is malformed at ${at}: ${problem}`);
}
