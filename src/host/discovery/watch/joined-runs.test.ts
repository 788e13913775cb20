import { expect, it, vi } from "vitest";
import { joinRuns } from "./joined-runs.ts";

it("many calls are one run, and those during a run one more", async () => {
  vi.useFakeTimers();
  try {
    const finish: (() => void)[] = [];
    const runs = joinRuns(() => new Promise((resolve) => finish.push(resolve)), 20);
    for (let times = 0; times < 1_000; times++) runs.runSoon();
    expect(finish).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(20);
    expect(finish).toHaveLength(1);
    for (let times = 0; times < 1_000; times++) runs.runSoon();
    runs.runNow();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(finish).toHaveLength(1);
    finish[0]?.();
    await vi.advanceTimersByTimeAsync(20);
    expect(finish).toHaveLength(2);
    finish[1]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(finish).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

it("a run at once takes the place of one that was to come", async () => {
  vi.useFakeTimers();
  try {
    const run = vi.fn<() => Promise<void>>(async () => {});
    const runs = joinRuns(run, 20);
    runs.runSoon();
    runs.runNow();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(run).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});

it("no run begins after the end", async () => {
  vi.useFakeTimers();
  try {
    const run = vi.fn<() => Promise<void>>(async () => {});
    const runs = joinRuns(run, 20);
    runs.runSoon();
    runs.stop();
    runs.runSoon();
    runs.runNow();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(run).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
