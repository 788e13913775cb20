import { CleatError } from "../../errors/index.ts";

/** A pattern as it is read, character by character (code points). */
export interface RegexSource {
  /** The character that comes, or the one so many after it; `undefined` at the end. */
  peek(offset?: number): string | undefined;
  /** Takes the character that comes. */
  next(): string | undefined;
  /** Takes the text if it is what comes. */
  accept(text: string): boolean;
  /** Takes what an expression matches right here. */
  take(expression: RegExp): RegExpExecArray | undefined;
  /** The error that tells what is wrong with the pattern: INVALID_ARGUMENT. */
  malformed(problem: string): CleatError;
}

/** Of what one expression takes; the longest are names of groups. */
const maxTokenLength = 128;

export function createRegexSource(pattern: string): RegexSource {
  const characters = Array.from(pattern);
  let at = 0;
  const rest = (length: number): string => characters.slice(at, at + length).join("");
  return {
    peek: (offset = 0) => characters[at + offset],
    next: () => characters[at++],
    accept(text) {
      if (rest(text.length) !== text) return false;
      at += text.length;
      return true;
    },
    take(expression) {
      const found = expression.exec(rest(maxTokenLength)) ?? undefined;
      if (found !== undefined) at += Array.from(found[0]).length;
      return found;
    },
    malformed(problem) {
      const shown = pattern.length <= 100 ? pattern : `${pattern.slice(0, 100)}…`;
      return new CleatError("INVALID_ARGUMENT", `regular expression ${JSON.stringify(shown)} is malformed: ${problem}`);
    },
  };
}
