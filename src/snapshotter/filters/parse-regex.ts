import { CleatError } from "../../errors/index.ts";
import { foldCase, inRanges, isWord, perlClass, posixClass, unicodeClass } from "./character-classes.ts";
import type { Assertion, CharacterTest, RegexNode } from "./regex-tree.ts";

interface Flags {
  /** `i`: letters match in either case. */
  readonly foldsCase: boolean;
  /** `s`: "." matches "\n". */
  readonly dotAll: boolean;
  /** `m`: "^" and "$" match at lines. */
  readonly multiline: boolean;
}

/** Source: Go 1.19 `regexp/syntax`, maxHeight and the limit on repeats. */
const maxDepth = 250;
const maxRepeat = 1_000;
const unlimited = Number.POSITIVE_INFINITY;

/** Of what one expression takes; the longest are names of groups. */
const maxTokenLength = 128;

/** @throws INVALID_ARGUMENT when the pattern is malformed. */
export function parseRegex(pattern: string): RegexNode {
  const characters = Array.from(pattern);
  let at = 0;
  let flags: Flags = { foldsCase: false, dotAll: false, multiline: false };
  let depth = 0;

  const malformed = (problem: string): CleatError => {
    const shown = pattern.length <= 100 ? pattern : `${pattern.slice(0, 100)}…`;
    return new CleatError("INVALID_ARGUMENT", `regular expression ${JSON.stringify(shown)} is malformed: ${problem}`);
  };
  const rest = (length: number): string => characters.slice(at, at + length).join("");
  const accept = (text: string): boolean => {
    if (rest(text.length) !== text) return false;
    at += text.length;
    return true;
  };
  /** Takes what an expression matches right here. */
  const take = (expression: RegExp): RegExpExecArray | undefined => {
    const found = expression.exec(rest(maxTokenLength)) ?? undefined;
    if (found !== undefined) at += Array.from(found[0]).length;
    return found;
  };
  const character = (matches: CharacterTest): RegexNode => ({
    kind: "character",
    matches: flags.foldsCase ? foldCase(matches) : matches,
  });
  const assertion = (holds: Assertion): RegexNode => ({ kind: "assertion", holds });

  function parseAlternatives(): RegexNode {
    if (++depth > maxDepth) throw malformed("it nests too deeply");
    const outer = flags;
    const nodes = [parseSequence()];
    while (accept("|")) nodes.push(parseSequence());
    flags = outer; // what a group sets ends with it
    depth--;
    return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: "alternatives", nodes };
  }

  function parseSequence(): RegexNode {
    const nodes: RegexNode[] = [];
    for (let isRepeated = false; at < characters.length && characters[at] !== "|" && characters[at] !== ")";) {
      const times = parseRepeat();
      if (times !== undefined) {
        // Of what stands before, which flags in between are not: `a(?i)*` repeats the "a".
        const node = nodes.pop();
        if (node === undefined) throw malformed("a repeat of nothing");
        if (isRepeated) throw malformed("a repeat of a repeat");
        nodes.push({ kind: "repeat", node, ...times });
      } else if (accept("\\Q")) {
        while (at < characters.length && !accept("\\E")) nodes.push(character(exactly(characters[at++] as string)));
      } else {
        const atom = parseAtom();
        if (atom !== undefined) nodes.push(atom);
      }
      isRepeated = times !== undefined;
    }
    return { kind: "sequence", nodes };
  }

  function parseRepeat(): { readonly min: number; readonly max: number } | undefined {
    const [whole, operator, low, high] = take(/^(?:([*+?])|\{(0|[1-9]\d*)(?:,(0|[1-9]\d*|))?\})\??/) ?? [];
    if (whole === undefined) return undefined;
    if (operator !== undefined) return { min: operator === "+" ? 1 : 0, max: operator === "?" ? 1 : unlimited };
    const min = Number(low);
    const max = high === undefined ? min : high === "" ? unlimited : Number(high);
    if (min > maxRepeat || (max > maxRepeat && max !== unlimited) || max < min)
      throw malformed("bad numbers of repeats");
    return { min, max };
  }

  /** `undefined` for what stands for nothing: flags. */
  function parseAtom(): RegexNode | undefined {
    const first = characters[at++] as string;
    switch (first) {
      case "(":
        return parseGroup();
      case "[":
        return character(parseClass());
      case ".":
        return { kind: "character", matches: flags.dotAll ? () => true : (point) => point !== 0x0a };
      case "^":
        return assertion(flags.multiline ? (before) => before === undefined || before === 0x0a : atStart);
      case "$":
        return assertion(flags.multiline ? (_, after) => after === undefined || after === 0x0a : atEnd);
      case "\\":
        return parseEscape();
      default:
        return character(exactly(first));
    }
  }

  function parseGroup(): RegexNode | undefined {
    if (take(/^\?P?<[A-Za-z0-9_]+>/) === undefined && accept("?")) {
      const [whole, set = "", cleared = "", ending] = take(/^([imsU]*)(?:-([imsU]+))?([:)])/) ?? [];
      if (whole === undefined) throw malformed("an unknown kind of group");
      const outer = flags;
      const value = (flag: string, before: boolean) => (before || set.includes(flag)) && !cleared.includes(flag);
      flags = {
        foldsCase: value("i", outer.foldsCase),
        dotAll: value("s", outer.dotAll),
        multiline: value("m", outer.multiline),
      };
      if (ending === ")") return undefined;
      const node = parseAlternatives();
      flags = outer;
      return closeGroup(node);
    }
    return closeGroup(parseAlternatives());
  }

  function closeGroup(node: RegexNode): RegexNode {
    if (!accept(")")) throw malformed("a group is not closed");
    return node;
  }

  function parseEscape(): RegexNode {
    if (accept("A")) return assertion(atStart);
    if (accept("z")) return assertion(atEnd);
    if (accept("b")) return assertion((before, after) => isWord(before) !== isWord(after));
    if (accept("B")) return assertion((before, after) => isWord(before) === isWord(after));
    const known = parseEscapedClass();
    return character(known ?? exactly(String.fromCodePoint(parseEscapedPoint())));
  }

  /** Behind a backslash: a class of characters, if it is one. */
  function parseEscapedClass(): CharacterTest | undefined {
    const perl = take(/^[dDsSwW]/);
    if (perl !== undefined) return perlClass(perl[0]);
    const [, negated, single, name] = take(/^([pP])(?:([A-Za-z])|\{(\^?[A-Za-z_]+)\})/) ?? [];
    if (negated === undefined) return undefined;
    const found = unicodeClass((name ?? single) as string);
    if (found === undefined) throw malformed("an unknown class of characters");
    return negated === "P" ? (point) => !found(point) : found;
  }

  /** Behind a backslash: one character. */
  function parseEscapedPoint(): number {
    const [whole, octal, hex, long, control, plain] =
      take(
        /^(?:(0[0-7]{0,2}|[1-7][0-7]{1,2})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,8})\}|([aftnrv])|([\0-/:-@[-`{-\x7f]))/,
      ) ?? [];
    if (whole === undefined) throw malformed("an unknown escape");
    if (octal !== undefined) return Number.parseInt(octal, 8);
    if (control !== undefined) return { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }[control] as number;
    if (plain !== undefined) return plain.codePointAt(0) as number;
    const point = Number.parseInt((hex ?? long) as string, 16);
    if (point > 0x10ffff) throw malformed("a character that there is not");
    return point;
  }

  function parseClass(): CharacterTest {
    const isNegated = accept("^");
    const tests: CharacterTest[] = [];
    for (let isFirst = true; isFirst || characters[at] !== "]"; isFirst = false) {
      if (at >= characters.length) throw malformed("a class is not closed");
      tests.push(parseClassPart());
    }
    at++;
    // Folded before it is negated: [^a] leaves out "A" too.
    const folded = flags.foldsCase ? tests.map(foldCase) : tests;
    return (point) => folded.some((matches) => matches(point)) !== isNegated;
  }

  function parseClassPart(): CharacterTest {
    const [, posix] = take(/^\[:(\^?[a-z]+):\]/) ?? [];
    if (posix !== undefined) {
      const found = posixClass(posix);
      if (found === undefined) throw malformed("an unknown class of characters");
      return found;
    }
    if (characters[at] === "\\") {
      at++;
      const known = parseEscapedClass();
      if (known !== undefined) return known;
      at--;
    }
    const low = parseClassPoint();
    if (characters[at] !== "-" || characters[at + 1] === "]" || characters[at + 1] === undefined) {
      return (point) => point === low;
    }
    at++;
    const high = parseClassPoint();
    if (high < low) throw malformed("a range that runs backwards");
    return inRanges([low, high]);
  }

  function parseClassPoint(): number {
    const first = characters[at];
    if (first === undefined) throw malformed("a class is not closed");
    at++;
    return first === "\\" ? parseEscapedPoint() : (first.codePointAt(0) as number);
  }

  const node = parseAlternatives();
  if (at < characters.length) throw malformed("a group is closed that was not opened");
  return node;
}

const atStart: Assertion = (before) => before === undefined;
const atEnd: Assertion = (_, after) => after === undefined;

function exactly(literal: string): CharacterTest {
  const wanted = literal.codePointAt(0);
  return (point) => point === wanted;
}
