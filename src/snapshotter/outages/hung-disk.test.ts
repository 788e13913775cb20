import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import { syncPatienceMs } from "../store/sync-in-time.ts";
import type { Snapshotter } from "../snapshotter.ts";

let folder: string;
let places: Places;
let snapshotter: Snapshotter;
/** Lets every sync that hangs end. */
let heal: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-hung-"));
  places = createPlaces();
  const healed = new Promise<void>((resolve) => (heal = resolve));
  places.beforeStep = (step) => (step === "sync" ? healed : undefined);
  snapshotter = await openSnapshotter({ root: join(folder, "records"), storage: createMemoryStorage(places) });
  await snapshotter.prepare("key", {});
  await snapshotter.prepare("other", {});
});
afterEach(async () => {
  vi.useRealTimers();
  heal();
  await snapshotter.close();
  await rm(folder, { recursive: true });
});

/** What a commit that hangs was refused with, once its patience is over. */
async function refusal(): Promise<unknown> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const outcome = snapshotter.commit("name", "key", {}).then(
    () => "committed",
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(syncPatienceMs);
  vi.useRealTimers();
  return outcome;
}

it("a commit on a disk that hangs is refused in time, and not done when the disk comes back", async () => {
  expect(await refusal()).toMatchObject({ code: "DEADLINE_EXCEEDED", message: expect.stringContaining('"key"') });
  expect((await snapshotter.stat("key")).kind).toBe("active");
  heal();
  await snapshotter.usage("key"); // what waits for the disk has had its turn
  await expect(snapshotter.stat("name")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await snapshotter.commit("name", "key", {});
  expect((await snapshotter.stat("name")).kind).toBe("committed");
});

it("others are served meanwhile, and nothing holds the key afterwards", async () => {
  const hanging = snapshotter.commit("name", "key", {});
  hanging.catch(() => {});
  await snapshotter.prepare("third", {});
  await snapshotter.update("other", { labels: { l: "1" } });
  await snapshotter.remove("other");
  expect((await snapshotter.stat("key")).kind).toBe("active");
  heal();
  await hanging;
});

it("a commit that its caller gives up is refused at once", async () => {
  const given = new AbortController();
  const hanging = snapshotter.commit("name", "key", {}, { signal: given.signal });
  const enough = new Error("enough");
  given.abort(enough);
  await expect(hanging).rejects.toMatchObject({ code: "CANCELLED", cause: enough });
  heal();
  await snapshotter.remove("key");
});
