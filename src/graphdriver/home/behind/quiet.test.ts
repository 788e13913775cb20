import { expect, it } from "vitest";
import { createQuiet } from "./quiet.ts";

/** A clock that goes on by itself where somebody waits, after which `meanwhile` happens. */
function openQuiet(meanwhile: (nowMs: number) => void = () => {}) {
  let nowMs = 1000;
  const ending = new AbortController();
  const quiet = createQuiet(ending.signal, {
    now: () => nowMs,
    async pause(ms) {
      nowMs += ms;
      meanwhile(nowMs);
    },
  });
  return { quiet, ending, now: () => nowMs };
}

it("is there at once where nobody has asked for anything lately", async () => {
  const { quiet, now } = openQuiet();
  await quiet.until();
  expect(now()).toBe(1000);
});

it("comes a while after the last call", async () => {
  let calls = 3;
  const { quiet, now } = openQuiet(() => {
    if (calls-- > 0) quiet.touch();
  });
  quiet.touch();
  await quiet.until();
  expect(now()).toBe(1000 + 4 * 30);
});

it("is not waited for for ever", async () => {
  const { quiet, now } = openQuiet(() => quiet.touch());
  quiet.touch();
  await Promise.all([quiet.until(), quiet.until()]);
  expect(now()).toBeGreaterThanOrEqual(1500);
  expect(now()).toBeLessThan(1600);
  await quiet.until(); // anew
  expect(now()).toBeGreaterThanOrEqual(2000);
});

it("is not waited for where all comes to an end", async () => {
  const { quiet, ending, now } = openQuiet(() => {
    quiet.touch();
    ending.abort();
  });
  quiet.touch();
  await quiet.until();
  expect(now()).toBe(1030);
});
