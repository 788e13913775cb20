/** What holders are told of records that the disk takes late, or not at all. */
import { expect, it } from "vitest";
import { silentLogger } from "../../transport/index.ts";
import type { MountRecord } from "./mount-record.ts";
import { createMountSet, type MountSetOptions } from "./mount-set.ts";
import { createTurns } from "./turns.ts";

type Put = (name: string, record: MountRecord) => Promise<void>;

function openSet({ put, ...overrides }: Partial<MountSetOptions> & { put: Put }, known: [string, MountRecord][] = []) {
  const map = new Map(known);
  return createMountSet({
    records: {
      get: (name) => map.get(name),
      entries: () => map.entries(),
      // As a store: at once in memory, and taken back when it cannot be written.
      put(name, record) {
        const before = map.get(name);
        map.set(name, record);
        return put(name, record).catch((error: unknown) => {
          if (before !== undefined) map.set(name, before);
          else map.delete(name);
          throw error;
        });
      },
      delete: async (name) => void map.delete(name),
    },
    turns: createTurns(),
    mount: async (name) => `/of/${name}`,
    unmount: async () => {},
    isMounted: () => true,
    bootId: "this",
    logger: silentLogger,
    sayStep: () => {},
    lingerMs: 0,
    ...overrides,
  });
}

const { signal } = new AbortController();

it("acknowledges one id's second mount when the first one's record is on the disk, and no sooner", async () => {
  let write = () => {};
  const written = new Promise<void>((resolve) => (write = resolve));
  const set = openSet({ put: async (_, { holders }) => (holders.length > 0 ? written : undefined) });
  const first = await set.mount("data", "podman", signal);
  const second = await set.mount("data", "podman", signal);
  let isAcknowledged = false;
  const acknowledged = second.recorded.then(() => (isAcknowledged = true));
  await new Promise(setImmediate);
  expect(isAcknowledged).toBe(false);
  write();
  await Promise.all([first.recorded, acknowledged]);
  await (
    await set.mount("data", "podman", signal)
  ).recorded;
});

it("refuses one id's second mount, too, when the first one's record cannot be written", async () => {
  let fail: (error: Error) => void = () => {};
  const written = new Promise<void>((_, reject) => (fail = reject));
  const set = openSet({ put: async (_, { holders }) => (holders.length > 0 ? written : undefined) });
  const both = [await set.mount("data", "podman", signal), await set.mount("data", "podman", signal)];
  fail(new Error("no room"));
  for (const { recorded } of both) await expect(recorded).rejects.toThrow("no room");
  expect(set.holders("data")).toEqual([]);
});

it("has no holder of an earlier boot, also when the disk is full and keeps their records", async () => {
  const full = async () => {
    throw new Error("no room");
  };
  const unmounted: string[] = [];
  const record = { holders: ["c"], path: "/of/data", isMount: true, boot: "before" };
  const set = openSet({ put: full, unmount: async (name) => void unmounted.push(name) }, [["data", record]]);
  await set.reconcile();
  expect([set.holders("data"), set.pathOf("data")]).toEqual([[], undefined]);
  await set.unmount("data", "c"); // engines do when they clean up
  await set.release("data");
  set.stop();
  expect(unmounted).toEqual(["data"]);
});
