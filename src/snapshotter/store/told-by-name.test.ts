import { expect, it, vi } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openOverFiles } from "./open-snapshotter.ts";

/** A storage that knows a place by its number, and says of each in its turn that it fails. */
async function open() {
  const storage = createMemoryStorage(createPlaces());
  let failing: keyof SnapshotStorage | undefined;
  const failable = <A extends readonly [number | { id: number }, ...unknown[]], R>(
    name: keyof SnapshotStorage,
    method: (...args: A) => Promise<R>,
  ) => {
    return async (...args: A): Promise<R> => {
      const id = typeof args[0] === "number" ? args[0] : args[0].id;
      if (failing === name) throw new CleatError("RESOURCE_EXHAUSTED", `layer "${id}" has no room`);
      return method(...args);
    };
  };
  const warn = vi.fn();
  const settle = failable("settle", async (_id: number, _parentId: number) => {});
  const rebase = storage.rebase && failable("rebase", storage.rebase);
  const snapshotter = await openOverFiles(
    createSimulatedDisk(),
    {
      ...storage,
      create: failable("create", storage.create),
      mounts: failable("mounts", storage.mounts),
      usage: failable("usage", storage.usage),
      remove: failable("remove", storage.remove),
      settle,
      ...(rebase && { rebase }),
    },
    { logger: { debug() {}, info() {}, warn, error() {} } },
  );
  await snapshotter.prepare("base key", {});
  await snapshotter.commit("base", "base key", {});
  await snapshotter.prepare("alone", {});
  await snapshotter.prepare("on base", { parent: "base" });
  return { snapshotter, warn, fail: (name: keyof SnapshotStorage | undefined) => void (failing = name) };
}

const calls: readonly [keyof SnapshotStorage, string, (snapshotter: Snapshotter) => Promise<unknown>][] = [
  ["create", "new", (s) => s.prepare("new", {})],
  ["mounts", "alone", (s) => s.mounts("alone")],
  ["mounts", "view", (s) => s.view("view", { parent: "base" })],
  ["usage", "alone", (s) => s.usage("alone")],
  ["usage", "new", async (s) => [await s.commit("new", "alone", {}), await s.usage("new")]],
  ["rebase", "alone", (s) => s.commit("new", "alone", { parent: "base" })],
  ["settle", "on base", (s) => s.commit("new", "on base", {})],
];

it.each(calls)("what a storage says of a number in %s is said of snapshot %s", async (method, name, call) => {
  const { snapshotter, fail } = await open();
  fail(method);
  const message = expect.stringMatching(`^snapshot "${name}": layer "\\d" has no room`) as string;
  await expect(call(snapshotter)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED", message });
  fail(undefined);
  await snapshotter.close();
});

it("so is what is left of a removed one, in the log", async () => {
  const { snapshotter, warn, fail } = await open();
  fail("remove");
  await snapshotter.remove("alone");
  await vi.waitFor(() => expect(warn).toHaveBeenCalled());
  expect(warn.mock.calls.flat()).toContainEqual(expect.objectContaining({ snapshot: "alone", id: 2 }));
  await snapshotter.close();
});
