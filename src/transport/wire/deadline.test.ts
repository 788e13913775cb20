import { expect, it, vi } from "vitest";
import { createDeadline } from "./deadline.ts";

it("tells whoever asked, once, and a signal that is made later", () => {
  const caller = new AbortController();
  const deadline = createDeadline(60_000, "call", caller.signal);
  const [told, forgotten] = [vi.fn(), vi.fn()];
  deadline.onAbort(told);
  deadline.onAbort(forgotten);
  deadline.offAbort(forgotten);
  expect([deadline.aborted, deadline.reason]).toEqual([false, undefined]);
  caller.abort("enough");
  expect(deadline.reason).toMatchObject({ code: "CANCELLED", message: "call was given up by its caller" });
  expect(deadline.signal).toMatchObject({ aborted: true, reason: deadline.reason });
  expect([told, forgotten].map((callback) => callback.mock.calls.length)).toEqual([1, 0]);
  deadline.release();
});

it("aborts a signal that is there, before it calls back", async () => {
  const deadline = createDeadline(1, "call", undefined);
  const { signal } = deadline;
  const seen = await new Promise((resolve) => deadline.onAbort(() => resolve(signal.aborted)));
  expect(seen).toBe(true);
  expect(signal.reason).toMatchObject({ code: "DEADLINE_EXCEEDED", message: "call gave no answer within 1 ms" });
});

it("does not end once it is released, nor while it pauses", async () => {
  const [paused, released] = [createDeadline(1, "call", undefined), createDeadline(1, "call", undefined)];
  paused.pause();
  released.release();
  released.start();
  const running = createDeadline(20, "call", undefined);
  await new Promise<void>((resolve) => running.onAbort(resolve));
  expect([paused.aborted, released.aborted]).toEqual([false, false]);
});

it("is released, paused and started by methods that are called apart from it", async () => {
  const caller = new AbortController();
  const { signal, release, pause, start } = createDeadline(1, "call", caller.signal);
  pause();
  start();
  await Promise.resolve().finally(release);
  caller.abort();
  expect(signal.aborted).toBe(false);
});
