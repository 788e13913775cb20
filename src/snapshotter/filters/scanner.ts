import { malformedFilter } from "./malformed-filter.ts";
import type { CleatError } from "../../errors/index.ts";

export interface Token {
  readonly kind: "quoted" | "value" | "field" | "separator" | "operator" | "end" | "illegal";
  readonly text: string;
}

export interface Scanner {
  /** The next character, whatever it begins; space counts. `undefined` at the end. */
  peek(): string | undefined;
  scan(): Token;
  /** An error about the place that was scanned last. */
  malformed(problem: string): CleatError;
}

/**
 * Cuts a filter into tokens. What a word is depends on what came before: behind an operator it is a value, which may
 * hold nearly anything. Source: containerd v1.6.20 `filters/scanner.go`, whose oddities are kept: an operator is any
 * run of "=", "!" and "~", and a value loses its meaning with the next separator.
 */
export function createScanner(text: string): Scanner {
  const characters = Array.from(text);
  let at = 0;
  let start = 0;
  let expectsValue = false;

  const token = (kind: Token["kind"]): Token => ({ kind, text: characters.slice(start, at).join("") });
  const takeWhile = (isPart: (character: string) => boolean) => {
    while (at < characters.length && isPart(characters[at] as string)) at++;
  };
  /** Behind the closing quote; false where there is none, or an escape in it is not one of Go's. */
  const takeQuoted = (quote: string): boolean => {
    let isLegal = true;
    for (; at < characters.length; at++) {
      const character = characters[at] as string;
      if (character === quote) {
        at++;
        return isLegal;
      }
      if (character === "\n" || isIllegal(character)) return false;
      if (character !== "\\") continue;
      const length = escapeLength(characters, at + 1, quote);
      if (length === undefined) isLegal = false;
      else at += length;
    }
    return false;
  };

  return {
    peek: () => characters[at],
    scan() {
      takeWhile(isSpace);
      start = at;
      const first = characters[at];
      if (first === undefined) return token("end");
      at++;
      if (isIllegal(first)) return token("illegal");
      if (first === '"' || first === "/" || first === "|") return token(takeQuoted(first) ? "quoted" : "illegal");
      if (first === "," || first === ".") {
        expectsValue = false;
        return token("separator");
      }
      if (isOperator(first)) {
        takeWhile(isOperator);
        expectsValue = true;
        return token("operator");
      }
      if (expectsValue) {
        takeWhile(isValue);
        expectsValue = false;
        return token("value");
      }
      if (isField(first)) {
        takeWhile(isField);
        return token("field");
      }
      return token("illegal");
    },
    malformed: (problem) => malformedFilter(text, start, problem),
  };
}

const isOperator = (character: string): boolean => character === "=" || character === "!" || character === "~";
const isField = (character: string): boolean => /^[A-Za-z0-9_]$/.test(character);

/** Go's `unicode.IsSpace`. */
const isSpace = (character: string): boolean => /^[\t\n\v\f\r \u0085\u00a0]$|^\p{White_Space}$/u.test(character);

/** Go's `unicode.IsGraphic`, without space and comma. */
const isValue = (character: string): boolean =>
  character !== "," &&
  !isIllegal(character) &&
  !isSpace(character) &&
  /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u.test(character);

/** What a Go scanner stops at: NUL, and what was not UTF-8. */
const isIllegal = (character: string): boolean => character === "\0" || character === "\ufffd";

/** How many characters an escape has behind its backslash; `undefined` where it is not one. */
function escapeLength(characters: readonly string[], at: number, quote: string): number | undefined {
  const kind = characters[at];
  if (kind === undefined) return undefined;
  if (kind === quote || "abfnrtv\\".includes(kind)) return 1;
  if (/^[0-7]$/.test(kind)) return hasDigits(characters, at, 3, /^[0-7]$/) ? 3 : undefined;
  const digits = { x: 2, u: 4, U: 8 }[kind];
  if (digits === undefined) return undefined;
  return hasDigits(characters, at + 1, digits, /^[0-9a-fA-F]$/) ? 1 + digits : undefined;
}

function hasDigits(characters: readonly string[], at: number, count: number, digit: RegExp): boolean {
  const digits = characters.slice(at, at + count);
  return digits.length === count && digits.every((character) => digit.test(character));
}
