import { foldCase, type Folding, isWord, keepCase } from "./character-classes.ts";
import { exactly, parseClass, parseEscapedClass, parseEscapedPoint } from "./parse-class.ts";
import { createRegexSource, type RegexSource } from "./regex-source.ts";
import type { Assertion, CharacterTest, RegexNode } from "./regex-tree.ts";

interface Flags {
  /** `i`: letters match in either case. */
  readonly foldsCase: boolean;
  /** `s`: "." matches "\n". */
  readonly dotAll: boolean;
  /** `m`: "^" and "$" match at lines. */
  readonly multiline: boolean;
}

/** What is being read, and what has been set by then. */
interface Parser {
  readonly source: RegexSource;
  flags: Flags;
  depth: number;
}

/** Source: Go 1.19 `regexp/syntax`, maxHeight and the limit on repeats. */
const maxDepth = 250;
const maxRepeat = 1_000;
const unlimited = Number.POSITIVE_INFINITY;

/** @throws INVALID_ARGUMENT when the pattern is malformed. */
export function parseRegex(pattern: string): RegexNode {
  const source = createRegexSource(pattern);
  const flags: Flags = { foldsCase: false, dotAll: false, multiline: false };
  const node = parseAlternatives({ source, flags, depth: 0 });
  if (source.peek() !== undefined) throw source.malformed("a group is closed that was not opened");
  return node;
}

function parseAlternatives(parser: Parser): RegexNode {
  const { source, flags } = parser;
  if (++parser.depth > maxDepth) throw source.malformed("it nests too deeply");
  const nodes = [parseSequence(parser)];
  while (source.accept("|")) nodes.push(parseSequence(parser));
  parser.flags = flags; // what a group sets ends with it
  parser.depth--;
  return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: "alternatives", nodes };
}

function parseSequence(parser: Parser): RegexNode {
  const { source } = parser;
  const nodes: RegexNode[] = [];
  const isOver = (): boolean => [undefined, "|", ")"].includes(source.peek());
  for (let isRepeated = false; !isOver();) {
    const times = parseRepeat(source);
    if (times !== undefined) {
      // Of what stands before, which flags in between are not: `a(?i)*` repeats the "a".
      const node = nodes.pop();
      if (node === undefined) throw source.malformed("a repeat of nothing");
      if (isRepeated) throw source.malformed("a repeat of a repeat");
      nodes.push({ kind: "repeat", node, ...times });
    } else if (source.accept("\\Q")) {
      while (source.peek() !== undefined && !source.accept("\\E")) nodes.push(letter(parser, source.next() as string));
    } else {
      const atom = parseAtom(parser);
      if (atom !== undefined) nodes.push(atom);
    }
    isRepeated = times !== undefined;
  }
  return { kind: "sequence", nodes };
}

function parseRepeat(source: RegexSource): { readonly min: number; readonly max: number } | undefined {
  const [whole, operator, low, high] = source.take(/^(?:([*+?])|\{(0|[1-9]\d*)(?:,(0|[1-9]\d*|))?\})\??/) ?? [];
  if (whole === undefined) return undefined;
  if (operator !== undefined) return { min: operator === "+" ? 1 : 0, max: operator === "?" ? 1 : unlimited };
  const min = Number(low);
  const max = high === undefined ? min : high === "" ? unlimited : Number(high);
  if (min > maxRepeat || (max > maxRepeat && max !== unlimited) || max < min)
    throw source.malformed("bad numbers of repeats");
  return { min, max };
}

/** `undefined` for what stands for nothing: flags. */
function parseAtom(parser: Parser): RegexNode | undefined {
  const { source, flags } = parser;
  const first = source.next() as string;
  switch (first) {
    case "(":
      return parseGroup(parser);
    case "[":
      return { kind: "character", ...parseClass(source, foldingOf(parser)) };
    case ".":
      return character(flags.dotAll ? () => true : (point) => point !== 0x0a);
    case "^":
      return assertion(flags.multiline ? (before) => before === undefined || before === 0x0a : atStart);
    case "$":
      return assertion(flags.multiline ? (_, after) => after === undefined || after === 0x0a : atEnd);
    case "\\":
      return parseEscape(parser);
    default:
      return letter(parser, first);
  }
}

function parseGroup(parser: Parser): RegexNode | undefined {
  const { source, flags: outer } = parser;
  const isPlain = source.take(/^\?P?<[A-Za-z0-9_]+>/) !== undefined || !source.accept("?");
  if (!isPlain) {
    const [whole, set = "", cleared = "", ending] = source.take(/^([imsU]*)(?:-([imsU]+))?([:)])/) ?? [];
    if (whole === undefined) throw source.malformed("an unknown kind of group");
    const value = (flag: string, before: boolean) => (before || set.includes(flag)) && !cleared.includes(flag);
    parser.flags = {
      foldsCase: value("i", outer.foldsCase),
      dotAll: value("s", outer.dotAll),
      multiline: value("m", outer.multiline),
    };
    if (ending === ")") return undefined;
  }
  const node = parseAlternatives(parser);
  parser.flags = outer;
  if (!source.accept(")")) throw source.malformed("a group is not closed");
  return node;
}

function parseEscape(parser: Parser): RegexNode {
  const { source } = parser;
  if (source.accept("A")) return assertion(atStart);
  if (source.accept("z")) return assertion(atEnd);
  if (source.accept("b")) return assertion((before, after) => isWord(before) !== isWord(after));
  if (source.accept("B")) return assertion((before, after) => isWord(before) === isWord(after));
  const known = parseEscapedClass(source, foldingOf(parser));
  return known === undefined ? letter(parser, String.fromCodePoint(parseEscapedPoint(source))) : character(known);
}

function foldingOf({ flags }: Parser): Folding {
  return flags.foldsCase ? foldCase : keepCase;
}

function letter(parser: Parser, literal: string): RegexNode {
  return character(foldingOf(parser)(exactly(literal)));
}

function character(matches: CharacterTest): RegexNode {
  return { kind: "character", matches, parts: 1 };
}

const atStart: Assertion = (before) => before === undefined;
const atEnd: Assertion = (_, after) => after === undefined;

function assertion(holds: Assertion): RegexNode {
  return { kind: "assertion", holds };
}
