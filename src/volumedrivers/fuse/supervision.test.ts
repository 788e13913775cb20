/** What a look meets that cannot look. Programs that serve, and die, are in test/kernel/volumes. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { FuseProgramOf } from "./supervision.ts";
import { careForFuse } from "./supervision.ts";

const { host } = vi.hoisted(() => ({
  host: { isRunning: (): boolean => true, trimLog: async (): Promise<void> => {} },
}));
vi.mock("../../syscall/index.ts", async (original) => ({
  ...(await original<typeof import("../../syscall/index.ts")>()),
  isRunning: () => host.isRunning(),
}));
vi.mock("./fuse-process.ts", async (original) => ({
  ...(await original<typeof import("./fuse-process.ts")>()),
  findFuse: async () => ({ pid: 1, started: 1, boot: "now" }),
  trimLog: () => host.trimLog(),
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const failing = (code: string) => Object.assign(new Error(`${code}: no`), { code, errno: -1, syscall: "open" });
const volume = { name: "data", target: "/nowhere/data", folder: "/nowhere" };
const programOf: FuseProgramOf = () => Promise.reject(new Error("not to be started"));

it.each([
  ["whether it runs", () => (host.isRunning = () => thrown(failing("EMFILE")))],
  ["its log", () => (host.trimLog = () => Promise.reject(failing("EIO")))],
])("goes on looking when %s cannot be looked at, and says so each time more rarely", async (_, fail) => {
  const told: object[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void told.push(fields) };
  const closing = new AbortController();
  const healthy = { ...host };
  let looks = 0;
  await careForFuse(volume, programOf, { closing: closing.signal, logger });
  fail();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.length).toBeGreaterThan(1);
  expect(told.length).toBeLessThan(7);
  expect(told[0]).toMatchObject({ volume: "data", err: { code: expect.stringMatching(/EMFILE|EIO/) } });
  Object.assign(host, healthy, { isRunning: () => ++looks > 0 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toBeGreaterThan(20);
  closing.abort();
  await vi.advanceTimersByTimeAsync(0);
  Object.assign(host, healthy);
  expect(vi.getTimerCount()).toBe(0);
});

function thrown(error: Error): never {
  throw error;
}
