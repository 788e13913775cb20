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

/** What the patterns of one request may take together, which bounds the time that one character of a text may cost. */
export interface RegexBudget {
  /** A class of characters takes one for each of its parts. */
  stepsLeft: number;
  /** Repeats of nothing make no steps, but work. */
  workLeft: number;
}

const maxSteps = 2_000;

export const createRegexBudget = (): RegexBudget => ({ stepsLeft: maxSteps, workLeft: 10 * maxSteps });

type Step =
  | { readonly kind: "match" }
  | { readonly kind: "character"; readonly matches: CharacterTest; readonly next: number }
  | { readonly kind: "assertion"; readonly holds: Assertion; readonly next: number }
  | { readonly kind: "split"; readonly targets: readonly number[] };

/**
 * Whether a text has a part that the pattern matches.
 * @throws INVALID_ARGUMENT when the pattern is malformed, or larger than what is left of `budget`: 2,000 steps.
 */
export function compileRegex(pattern: string, budget = createRegexBudget()): (text: string) => boolean {
  if (pattern.length > maxPatternLength) throw tooLarge(pattern);
  const steps: Step[] = [{ kind: "match" }];
  const start = emit(parseRegex(pattern), 0, { steps, pattern, budget });
  return (text) => run(steps, start, text);
}

/** More characters than that make too many steps anyway. */
const maxPatternLength = 4_096;

interface Emission {
  readonly steps: Step[];
  readonly pattern: string;
  readonly budget: RegexBudget;
}

function tooLarge(pattern: string): CleatError {
  const shown = pattern.slice(0, 100);
  const message = `regular expression "${shown}" needs more than ${maxSteps} steps, with those before it`;
  return new CleatError("INVALID_ARGUMENT", message);
}

/** Appends the steps of `node`, which lead on to `next`, and returns the first of them. */
function emit(node: RegexNode, next: number, emission: Emission): number {
  const { steps, pattern, budget } = emission;
  if (--budget.workLeft < 0) throw tooLarge(pattern);
  const push = (step: Step, count = 1): number => {
    budget.stepsLeft -= count;
    if (budget.stepsLeft < 0) throw tooLarge(pattern);
    return steps.push(step) - 1;
  };
  switch (node.kind) {
    case "empty":
      return next;
    case "character":
      return push({ kind: "character", matches: node.matches, next }, node.parts);
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
  /** Where in the text each step was reached last. */
  const reachedAt = new Int32Array(steps.length).fill(-1);
  const pending: number[] = [];
  for (let at = 0; at <= points.length; at++) {
    const [before, point] = [points[at - 1], points[at]];
    const next: number[] = [];
    pending.push(start);
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (reachedAt[index] === at) continue;
      reachedAt[index] = at;
      const step = steps[index] as Step;
      if (step.kind === "match") return true;
      if (step.kind === "split") pending.push(...step.targets);
      else if (step.kind === "assertion") {
        if (step.holds(before, point)) pending.push(step.next);
      } else if (point !== undefined && step.matches(point)) next.push(step.next);
    }
    pending.push(...next);
  }
  return false;
}
