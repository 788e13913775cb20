import { expect, it, vi } from "vitest";
import { silentLogger } from "../../../transport/index.ts";
import { syncBehind } from "./sync-behind.ts";

/** Time as `syncBehind` sees it, which passes when it pauses and when it flushes. */
const clock = vi.hoisted(() => ({ nowMs: 0 }));
vi.mock("node:timers/promises", () => ({ setTimeout: async (ms: number) => void (clock.nowMs += ms) }));

/** Flushes that take so long each; when each began. */
async function runFlushes(tookMs: readonly number[]): Promise<readonly number[]> {
  vi.spyOn(performance, "now").mockImplementation(() => clock.nowMs);
  clock.nowMs = 0;
  const left = [...tookMs];
  const beganMs: number[] = [];
  await new Promise<void>((resolve) => {
    const behind = syncBehind(async () => {
      beganMs.push(clock.nowMs);
      clock.nowMs += left.shift() ?? 0;
      if (left.length > 0) return;
      behind.end(1);
      resolve();
    }, silentLogger);
    behind.begin(1);
  });
  return beganMs;
}

it("writes soon after an engine begins to unpack, and again, until it ends", async () => {
  expect(await runFlushes([50, 70, 20, 0])).toEqual([100, 250, 460, 580]);
});

it("gives a slow disk longer pauses, of a second at most", async () => {
  expect(await runFlushes([300, 5_000, 10, 0])).toEqual([100, 1_000, 7_000, 7_110]);
});

it("comes seldom while nothing is written", async () => {
  expect(await runFlushes([1, 0, 30, 0])).toEqual([100, 1_101, 2_101, 2_231]);
});
