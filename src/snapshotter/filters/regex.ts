/**
 * Regular expressions as Go has them (RE2 syntax), matched in time linear in the text whatever the pattern:
 * JavaScript's own backtrack, and a pattern that comes from elsewhere could stop the process. Ken Thompson's way: all
 * ways to match are followed at once, one character of the text after another.
 *
 * Source: Go 1.19 `regexp/syntax` (its documentation is the grammar); R. Cox, "Regular Expression Matching Can Be
 * Simple And Fast".
 */
import { CleatError } from "../../errors/index.ts";
import { parseRegex } from "./parse-regex.ts";
import type { Assertion, CharacterTest, RegexNode } from "./regex-tree.ts";

/** Bounds the time that one character of a text may cost. */
const maxSteps = 2_000;

type Step =
  | { readonly kind: "match" }
  | { readonly kind: "character"; readonly matches: CharacterTest; readonly next: number }
  | { readonly kind: "assertion"; readonly holds: Assertion; readonly next: number }
  | { readonly kind: "split"; readonly targets: readonly number[] };

/**
 * Whether a text has a part that the pattern matches.
 * @throws INVALID_ARGUMENT when the pattern is malformed, or larger than 2,000 steps.
 */
export function compileRegex(pattern: string): (text: string) => boolean {
  if (pattern.length > maxPatternLength) throw tooLarge(pattern);
  const steps: Step[] = [{ kind: "match" }];
  const start = emit(parseRegex(pattern), 0, { steps, pattern, work: 0 });
  return (text) => run(steps, start, text);
}

/** More characters than that make too many steps anyway. */
const maxPatternLength = 4_096;

interface Emission {
  readonly steps: Step[];
  readonly pattern: string;
  /** Repeats of nothing make no steps, but work. */
  work: number;
}

function tooLarge(pattern: string): CleatError {
  const message = `regular expression "${pattern.slice(0, 100)}" needs more than ${maxSteps} steps`;
  return new CleatError("INVALID_ARGUMENT", message);
}

/** Appends the steps of `node`, which lead on to `next`, and returns the first of them. */
function emit(node: RegexNode, next: number, emission: Emission): number {
  const { steps, pattern } = emission;
  if (++emission.work > 10 * maxSteps) throw tooLarge(pattern);
  const push = (step: Step): number => {
    if (steps.length >= maxSteps) throw tooLarge(pattern);
    return steps.push(step) - 1;
  };
  switch (node.kind) {
    case "empty":
      return next;
    case "character":
      return push({ kind: "character", matches: node.matches, next });
    case "assertion":
      return push({ kind: "assertion", holds: node.holds, next });
    case "sequence":
      return node.nodes.reduceRight((after, part) => emit(part, after, emission), next);
    case "alternatives":
      return push({ kind: "split", targets: node.nodes.map((part) => emit(part, next, emission)) });
    case "repeat": {
      let first = next;
      if (node.max === Number.POSITIVE_INFINITY) {
        const targets = [next];
        first = push({ kind: "split", targets });
        targets.push(emit(node.node, first, emission));
      } else {
        for (let count = node.min; count < node.max; count++) {
          first = push({ kind: "split", targets: [next, emit(node.node, first, emission)] });
        }
      }
      for (let count = 0; count < node.min; count++) first = emit(node.node, first, emission);
      return first;
    }
  }
}

function run(steps: readonly Step[], start: number, text: string): boolean {
  const points = Array.from(text, (character) => character.codePointAt(0) as number);
  let current: number[] = [];
  for (let at = 0; at <= points.length; at++) {
    const [before, point] = [points[at - 1], points[at]];
    const reached = follow(steps, [...current, start], before, point);
    if (reached.has(0)) return true;
    current = [];
    if (point === undefined) break;
    for (const index of reached) {
      const step = steps[index] as Step;
      if (step.kind === "character" && step.matches(point)) current.push(step.next);
    }
  }
  return false;
}

/** Every step that can be reached without reading a character. */
function follow(
  steps: readonly Step[],
  from: number[],
  before: number | undefined,
  after: number | undefined,
): ReadonlySet<number> {
  const reached = new Set<number>();
  const pending = from;
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (reached.has(index)) continue;
    reached.add(index);
    const step = steps[index] as Step;
    if (step.kind === "split") pending.push(...step.targets);
    else if (step.kind === "assertion" && step.holds(before, after)) pending.push(step.next);
  }
  return reached;
}
