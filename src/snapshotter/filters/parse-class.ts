/**
 * Characters in a regular expression, and classes of them. Each function takes what it reads, and throws `malformed`.
 */
import { type Folding, inRanges, negate, perlClass, posixClass, unicodeClass } from "./character-classes.ts";
import type { RegexSource } from "./regex-source.ts";
import type { CharacterTest } from "./regex-tree.ts";

export function exactly(literal: string): CharacterTest {
  const wanted = literal.codePointAt(0);
  return (point) => point === wanted;
}

/** Behind a "[": the class, and of how many parts it is. */
export function parseClass(
  source: RegexSource,
  folding: Folding,
): { readonly matches: CharacterTest; readonly parts: number } {
  const isNegated = source.accept("^");
  const tests = [parseClassPart(source, folding)]; // a "]" that comes first is one of the characters
  while (!source.accept("]")) tests.push(parseClassPart(source, folding));
  return { matches: (point) => tests.some((matches) => matches(point)) !== isNegated, parts: tests.length };
}

function parseClassPart(source: RegexSource, folding: Folding): CharacterTest {
  const [, posix] = source.take(/^\[:(\^?[a-z]+):\]/) ?? [];
  if (posix !== undefined) return known(source, posixClass(posix, folding));
  const isEscaped = source.accept("\\");
  const escapedClass = isEscaped ? parseEscapedClass(source, folding) : undefined;
  if (escapedClass !== undefined) return escapedClass;
  const low = isEscaped ? parseEscapedPoint(source) : parseClassPoint(source);
  const isRange = source.peek() === "-" && source.peek(1) !== "]" && source.peek(1) !== undefined;
  if (!isRange) return folding((point) => point === low);
  source.next();
  const high = parseClassPoint(source);
  if (high < low) throw source.malformed("a range that runs backwards");
  return folding(inRanges([low, high]));
}

function parseClassPoint(source: RegexSource): number {
  const first = source.next();
  if (first === undefined) throw source.malformed("a class is not closed");
  return first === "\\" ? parseEscapedPoint(source) : (first.codePointAt(0) as number);
}

/** Behind a backslash: a class of characters, if it is one. */
export function parseEscapedClass(source: RegexSource, folding: Folding): CharacterTest | undefined {
  const perl = source.take(/^[dDsSwW]/);
  if (perl !== undefined) return perlClass(perl[0], folding);
  const [, negated, single, name] = source.take(/^([pP])(?:([A-Za-z])|\{(\^?[A-Za-z_]+)\})/) ?? [];
  if (negated === undefined) return undefined;
  const found = known(source, unicodeClass((name ?? single) as string, folding));
  return negated === "P" ? negate(found) : found;
}

function known(source: RegexSource, found: CharacterTest | undefined): CharacterTest {
  if (found === undefined) throw source.malformed("an unknown class of characters");
  return found;
}

const octalDigits = "0[0-7]{0,2}|[1-7][0-7]{1,2}";
const hexDigits = String.raw`x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,8})\}`;
const escapedPoint = new RegExp(String.raw`^(?:(${octalDigits})|${hexDigits}|([aftnrv])|([\0-/:-@[-\`{-\x7f]))`);
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** Behind a backslash: one character. */
export function parseEscapedPoint(source: RegexSource): number {
  const [whole, octal, hex, long, control, plain] = source.take(escapedPoint) ?? [];
  if (whole === undefined) throw source.malformed("an unknown escape");
  if (octal !== undefined) return Number.parseInt(octal, 8);
  if (control !== undefined) return controls[control] as number;
  if (plain !== undefined) return plain.codePointAt(0) as number;
  const point = Number.parseInt((hex ?? long) as string, 16);
  if (point > 0x10ffff) throw source.malformed("a character that there is not");
  return point;
}
