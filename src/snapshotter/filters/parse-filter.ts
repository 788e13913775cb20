/**
 * containerd's language of filters.
 *
 *     kind==active,labels."containerd.io/gc.root"==check      both
 *     parent!=""                                              has a parent
 *     labels.l                                                has that label
 *     name~=/^default\/[0-9]+\//                              matches a regular expression
 *
 * A filter is a list of selectors, all of which must match, with commas between; of several filters one must. A
 * selector is a path of fields with dots between, then an operator and a value, or nothing, which asks whether the
 * field is there. A field is a word of `[A-Za-z0-9_]` or quoted; a value is quoted, or any run of printable characters
 * without a comma. Space may stand before any of them. Quotes are `"`, and for the value of `~=` also `/` and `|`;
 * inside them Go's escapes are understood.
 *
 * A regular expression that is none is an error here; containerd logs it and matches nothing.
 *
 * Source: containerd v1.6.20 `filters/parser.go`, `filters/filter.go`.
 */
import { CleatError } from "../../errors/index.ts";
import { compileRegex, createRegexBudget, type RegexBudget } from "./regex.ts";
import { createScanner, type Scanner, type Token } from "./scanner.ts";
import { unquote } from "./unquote.ts";

/** Of all together. A key may have 32,768 bytes, and each be written as an escape of four. */
const maxFilterLength = 256 * 1024;
const maxFilters = 1_000;

/** What a field is, `undefined` where it is not there. */
export type ReadField = (path: readonly string[]) => string | undefined;
export type Filter = (read: ReadField) => boolean;

/**
 * The filter that matches where one of `texts` does; all things where there is none.
 * @throws INVALID_ARGUMENT when one is malformed, or together they are so long that others would wait for them.
 */
export function parseFilters(texts: readonly string[]): Filter {
  if (texts.length > maxFilters) throw new CleatError("INVALID_ARGUMENT", `more than ${maxFilters} filters at once`);
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > maxFilterLength) {
    throw new CleatError("INVALID_ARGUMENT", `filters are longer than ${maxFilterLength} characters together`);
  }
  const budget = createRegexBudget();
  const filters = texts.map((text) => parseFilter(text, budget));
  return filters.length === 0 ? () => true : (read) => filters.some((matches) => matches(read));
}

/** @throws INVALID_ARGUMENT when it is malformed. The empty filter matches all things. */
function parseFilter(text: string, budget: RegexBudget): Filter {
  if (text === "") return () => true;
  const scanner = createScanner(text);
  const selectors = [parseSelector(scanner, budget)];
  for (;;) {
    const next = scanner.peek();
    if (next === undefined) return (read) => selectors.every((matches) => matches(read));
    if (next !== ",") throw scanner.malformed(`${JSON.stringify(next)} is not expected there`);
    scanner.scan();
    selectors.push(parseSelector(scanner, budget));
  }
}

function parseSelector(scanner: Scanner, budget: RegexBudget): Filter {
  const path = [parseField(scanner)];
  while (scanner.peek() === ".") {
    scanner.scan();
    path.push(parseField(scanner));
  }
  const next = scanner.peek();
  if (next === undefined || next === ",") return (read) => read(path) !== undefined;
  const operator = parseOperator(scanner);
  const value = parseValue(scanner, operator === "~=");
  switch (operator) {
    case "==":
      return (read) => read(path) === value;
    case "!=":
      return (read) => (read(path) ?? "") !== value;
    case "~=": {
      const matches = compileRegex(value, budget);
      return (read) => matches(read(path) ?? "");
    }
  }
}

function parseField(scanner: Scanner): string {
  const token = scanner.scan();
  if (token.kind === "field") return token.text;
  if (token.kind === "quoted") return unquoteToken(scanner, token, false);
  throw scanner.malformed("a field is expected");
}

function parseOperator(scanner: Scanner): "==" | "!=" | "~=" {
  const { kind, text } = scanner.scan();
  if (kind === "operator" && (text === "==" || text === "!=" || text === "~=")) return text;
  throw scanner.malformed('an operator is expected: "==", "!=" or "~="');
}

function parseValue(scanner: Scanner, allowsOtherQuotes: boolean): string {
  const token = scanner.scan();
  if (token.kind === "value" || token.kind === "field") return token.text;
  if (token.kind === "quoted") return unquoteToken(scanner, token, allowsOtherQuotes);
  throw scanner.malformed("a value is expected");
}

function unquoteToken(scanner: Scanner, { text }: Token, allowsOtherQuotes: boolean): string {
  if (!allowsOtherQuotes && text[0] !== '"') throw scanner.malformed(`quotes of ${text[0]} are for "~=" only`);
  const unquoted = unquote(text);
  if (unquoted === undefined) throw scanner.malformed("the quoted text is malformed");
  return unquoted;
}
