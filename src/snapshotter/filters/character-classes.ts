import type { CharacterTest } from "./regex-tree.ts";

/**
 * What a flag makes of the characters that are named: `foldCase` or `keepCase`. A class is folded before
 * it is negated, so that `(?i)\\P{Lu}` leaves out "a" as well as "A". Source: Go 1.19 `regexp/syntax`
 * `appendGroup`, `appendFoldedClass`.
 */
export type Folding = (matches: CharacterTest) => CharacterTest;

export const keepCase: Folding = (matches) => matches;

/** Pairs of a first and a last code point. */
export function inRanges(...ranges: readonly (readonly [number, number])[]): CharacterTest {
  return (point) => ranges.some(([low, high]) => point >= low && point <= high);
}

function fromText(ranges: string): CharacterTest {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges.charCodeAt(at), ranges.charCodeAt(at + 1)]);
  return inRanges(...pairs);
}

const digits = fromText("09");
const words = fromText("09AZ__az");
const spaces = fromText("\t\n\f\r  ");

/** Of ASCII only, and without "\v": so has Go. */
export function perlClass(letter: string, folding: Folding): CharacterTest {
  const known = folding({ d: digits, s: spaces, w: words }[letter.toLowerCase()] as CharacterTest);
  return letter === letter.toLowerCase() ? known : negate(known);
}

export function isWord(point: number | undefined): boolean {
  return point !== undefined && words(point);
}

const posixClasses: Readonly<Record<string, CharacterTest>> = {
  alnum: fromText("09AZaz"),
  alpha: fromText("AZaz"),
  ascii: fromText("\0\x7f"),
  blank: fromText("\t\t  "),
  cntrl: fromText("\0\x1f\x7f\x7f"),
  digit: digits,
  graph: fromText("!~"),
  lower: fromText("az"),
  print: fromText(" ~"),
  punct: fromText("!/:@[`{~"),
  space: fromText("\t\r  "),
  upper: fromText("AZ"),
  word: words,
  xdigit: fromText("09AFaf"),
};

/** "alpha", "^alpha"; `undefined` where there is no such class. */
export function posixClass(name: string, folding: Folding): CharacterTest | undefined {
  return negatable(name, folding, (plain) => (Object.hasOwn(posixClasses, plain) ? posixClasses[plain] : undefined));
}

/** A general category or a script: "L", "Lu", "Greek", "^Greek"; `undefined` where there is no such class. */
export function unicodeClass(name: string, folding: Folding): CharacterTest | undefined {
  return negatable(name, folding, (plain) => {
    if (plain === "Any") return () => true;
    for (const property of plain.length <= 2 ? [plain] : [`Script=${plain}`]) {
      try {
        const expression = new RegExp(`^\\p{${property}}$`, "u");
        return (point) => expression.test(String.fromCodePoint(point));
      } catch {
        continue; // no such property
      }
    }
    return undefined;
  });
}

function negatable(
  name: string,
  folding: Folding,
  find: (plain: string) => CharacterTest | undefined,
): CharacterTest | undefined {
  const isNegated = name.startsWith("^");
  const found = find(isNegated ? name.slice(1) : name);
  if (found === undefined) return undefined;
  return isNegated ? negate(folding(found)) : folding(found);
}

export function negate(matches: CharacterTest): CharacterTest {
  return (point) => !matches(point);
}

/** Matches a letter where `matches` does for one of its cases. */
export function foldCase(matches: CharacterTest): CharacterTest {
  return (point) => matches(point) || otherCases(point).some(matches);
}

/** Every step that waits for a character asks for the same one's. */
let last: { readonly point: number; readonly cases: readonly number[] } = { point: -1, cases: [] };

function otherCases(point: number): readonly number[] {
  if (last.point !== point) last = { point, cases: findOtherCases(point) };
  return last.cases;
}

function findOtherCases(point: number): number[] {
  const character = String.fromCodePoint(point);
  const cases = [character.toLowerCase(), character.toUpperCase(), character.toUpperCase().toLowerCase()];
  return cases.filter((other) => Array.from(other).length === 1).map((other) => other.codePointAt(0) as number);
}
