import { CleatError, quoteText } from "../errors/index.ts";

/**
 * The query as Docker's handlers see it.
 *
 * Source: go1.19 `net/url/url.go`, `ParseQuery`; moby v20.10.24 `api/server/httputils/form.go`.
 */
export interface ApiQuery {
  /**
   * `undefined` where it is not there. @throws INVALID_ARGUMENT where it is there more than once, with different
   * values.
   */
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
  /** As Docker reads it: everything but "", "0", "no", "false" and "none", in any case, with spaces around, is true. */
  isTrue(name: string): boolean;
}

const falseValues = new Set(["", "0", "no", "false", "none"]);

/** What Go trims; JavaScript trims U+FEFF and not U+0085. Source: go1.19 `unicode/graphic.go`, `IsSpace`. */
const goSpace = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/**
 * Go and JavaScript lower other letters differently; those of the false values, and only those, become them in both.
 */
function isFalse(value: string): boolean {
  const [word = "", ...others] = value.split(goSpace).filter((part) => part !== "");
  return others.length === 0 && falseValues.has(word.toLowerCase());
}

/** @throws INVALID_ARGUMENT for a query that Go refuses, in some version. */
export function parseApiQuery(rawQuery: string): ApiQuery {
  const values = new Map<string, string[]>();
  for (const pair of rawQuery.split("&")) {
    if (pair === "") continue;
    // A separator to Go before 1.17, and refused from then on.
    if (pair.includes(";")) throw refused(rawQuery, "holds a semicolon");
    const at = pair.indexOf("=");
    const [name, value] = (at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)]).map(unescape);
    if (name === undefined || value === undefined) throw refused(rawQuery, "is not UTF-8 in percent-encoding");
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const getAll = (name: string) => values.get(name) ?? [];
  const get = (name: string) => {
    const [first, ...others] = getAll(name);
    if (others.every((other) => other === first)) return first;
    throw refused(rawQuery, `has several values of "${name}"`);
  };
  return {
    get,
    getAll,
    isTrue: (name) => !isFalse(get(name) ?? ""),
  };
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function refused(rawQuery: string, problem: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `query ${quoteText(rawQuery)} ${problem}`);
}
