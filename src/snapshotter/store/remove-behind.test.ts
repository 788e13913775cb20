import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { silentLogger } from "../../transport/index.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { removeBehind } from "./remove-behind.ts";

/** No time passes: as in a process that nothing but this timer would keep. */
vi.mock("node:timers/promises", () => ({
  setTimeout: vi.fn(
    (_ms: number, _value: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", reject, { once: true })),
  ),
}));

beforeEach(() => void vi.spyOn(performance, "now").mockReturnValue(1_000));
afterEach(() => vi.restoreAllMocks());

async function removeOneWhileAsked() {
  const places = createPlaces();
  places.made.set(1, undefined);
  const removing = removeBehind((id) => createMemoryStorage(places).remove(id), silentLogger);
  await removing.before(async () => {});
  removing.later({ id: 1, name: "k" });
  expect(pause).toHaveBeenCalledOnce();
  vi.mocked(pause).mockClear();
  return { places, removing };
}

it("waits for no timer when what was removed is to go now", async () => {
  const { places, removing } = await removeOneWhileAsked();
  await removing.settled();
  expect([...places.made.keys()]).toEqual([]);
});

it("begins no removal any more when it is stopped in a pause", async () => {
  const { places, removing } = await removeOneWhileAsked();
  removing.stop();
  await removing.settled();
  expect([...places.made.keys()]).toEqual([1]);
});
