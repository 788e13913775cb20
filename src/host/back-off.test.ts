import { expect, it } from "vitest";
import { backOff } from "./back-off.ts";

/** The pauses of tries that take no time themselves. */
function pausesWithin(limitMs: number): number[] {
  let nowMs = 0;
  const pauses: number[] = [];
  for (const pauseMs of backOff(limitMs, () => nowMs)) {
    pauses.push(pauseMs);
    nowMs += pauseMs;
  }
  return pauses;
}

it("is Docker's within Docker's limit", () => {
  expect(pausesWithin(30_000)).toEqual([1_000, 2_000, 4_000, 8_000]);
});

it("grows to half a minute and no further", () => {
  expect(pausesWithin(130_000)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

it("is none without a limit to spend", () => {
  expect(pausesWithin(0)).toEqual([]);
  expect(pausesWithin(1_000)).toEqual([]);
});

it("counts the time that tries take", () => {
  let nowMs = 0;
  const tries = backOff(30_000, () => nowMs);
  expect(tries.next().value).toBe(1_000);
  nowMs = 28_500;
  expect(tries.next().done).toBe(true);
});
