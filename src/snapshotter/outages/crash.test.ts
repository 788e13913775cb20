import { describe, expect, it } from "vitest";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { HighWaterMark } from "../../state/kit.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";
import {
  createSimulatedDisk,
  losses,
  PowerLoss,
  type SimulatedDisk,
} from "../../state/journal/simulated-disk.test.support.ts";
import type { Snapshotter } from "../snapshotter.ts";

const long = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`l${index}`, "x".repeat(4_000)]));

/** Each is acknowledged before the next; the long labels make the journal be written anew. */
const story: readonly ((snapshotter: Snapshotter) => Promise<unknown>)[] = [
  (s) => s.prepare("a", { labels: { one: "1" } }),
  (s) => s.commit("A", "a", { labels: { two: "2" } }),
  (s) => s.prepare("b", {}),
  (s) => s.prepare("c", { parent: "A", labels: long }),
  (s) => s.commit("B", "b", { parent: "A" }),
  (s) => s.view("v", { parent: "B" }),
  (s) => s.remove("v"),
  (s) => s.update("c", { labels: { ...long, l0: "y" } }),
  (s) => s.update("c", { labels: { l1: "" }, paths: ["labels.l1"] }),
  (s) => s.prepare("d", { parent: "B" }),
  (s) => s.remove("c"),
  (s) => s.prepare("v", { parent: "A" }),
];

async function contentOf(snapshotter: Snapshotter): Promise<string> {
  const infos: string[] = [];
  for await (const { name, kind, parent, labels } of snapshotter.list()) {
    const shown = Object.entries(labels).map(([key, value]) => `${key}=${value[0]}`);
    infos.push(JSON.stringify([name, kind, parent, shown.toSorted()]));
  }
  return infos.toSorted().join("\n");
}

/** One that loses nothing of what it was told, however the power goes: no records that are whole may be behind it. */
function createMark(seq = 0) {
  let last = seq;
  const mark: HighWaterMark = {
    seq,
    path: "mark",
    forget: async () => void (last = 0),
    note: (value) => void (last = value),
    close: async () => {},
  };
  return { mark, last: () => last };
}

/** The content after each acknowledged step, until the power goes. */
async function tell(disk: SimulatedDisk, places: Places, mark?: HighWaterMark): Promise<string[]> {
  const contents = [""];
  try {
    const snapshotter = await openOverFiles(disk, createMemoryStorage(places), { mark });
    for (const step of story) {
      await step(snapshotter);
      contents.push(await contentOf(snapshotter));
    }
    await snapshotter.close();
  } catch (error) {
    if (!(error instanceof PowerLoss) && !String(error).includes("cannot be written any more")) throw error;
  }
  return contents;
}

describe("after a crash", () => {
  const ways = losses.flatMap((loss) => [
    { loss, prefilled: false, journal: "that grows" },
    { loss, prefilled: true, journal: "of zeros that are overwritten" },
  ]);
  it.each(ways)(
    "at any step of the disk, where $loss, with a journal $journal, all that was acknowledged is there, none half",
    async ({ loss, prefilled }) => {
      const whole = createSimulatedDisk(undefined, prefilled);
      const expected = await tell(whole, createPlaces());
      expect(whole.steps).toBeGreaterThan(35);
      for (let failAt = 1; failAt <= whole.steps; failAt++) {
        const disk = createSimulatedDisk(undefined, prefilled);
        disk.failAt = failAt;
        const places = createPlaces();
        const kept = createMark();
        const acknowledged = (await tell(disk, places, kept.mark)).length - 1;

        const rebooted = disk.reboot(loss);
        const { mark } = createMark(kept.last());
        const snapshotter = await openOverFiles(rebooted, createMemoryStorage(places), { mark });
        const found = await contentOf(snapshotter);
        const possible = [expected[acknowledged], expected[acknowledged + 1]];
        expect(possible, `at step ${failAt} of the disk, ${acknowledged} acknowledged`).toContain(found);
        // The storage refuses a number that was ever given.
        await snapshotter.prepare("new", {});
        await snapshotter.cleanup();
        const withPlace = found.split("\n").filter((line) => line !== "" && !line.includes('"view"'));
        expect(places.made.size).toBe(withPlace.length + 1);
        await snapshotter.close();
      }
    },
  );

  it("of many calls at once, each is there or not, and those that were acknowledged are", async () => {
    for (let failAt = 1; failAt < 14; failAt++) {
      const disk = createSimulatedDisk();
      const places = createPlaces();
      const snapshotter = await openOverFiles(disk, createMemoryStorage(places));
      disk.failAt = disk.steps + failAt;
      const keys = Array.from({ length: 250 }, (_, index) => `k${index}`);
      const outcomes = await Promise.allSettled(keys.map((key) => snapshotter.prepare(key, {})));
      for (const loss of losses) {
        const again = await openOverFiles(
          disk.reboot(loss),
          createMemoryStorage({ ...places, made: new Map(places.everMade.map((id) => [id, undefined])) }),
        );
        const found = new Set<string>();
        for await (const { name } of again.list()) found.add(name);
        const lost = keys.filter((key, index) => outcomes[index]?.status === "fulfilled" && !found.has(key));
        expect(lost, loss).toEqual([]);
      }
    }
  });

  it.each(["ENOSPC", "EFBIG"] as const)("%s is RESOURCE_EXHAUSTED, and the next may go well", async (refuseAs) => {
    const disk = createSimulatedDisk();
    const snapshotter = await openOverFiles(disk, createMemoryStorage(createPlaces()));
    await snapshotter.prepare("first", {});
    Object.assign(disk, { refuseAs, refuseAt: disk.steps + 1 });
    const refused = {
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringMatching(`^records of snapshots: ${refuseAs}`),
    };
    await expect(snapshotter.prepare("second", {})).rejects.toMatchObject(refused);
    await snapshotter.prepare("second", {});
    await snapshotter.close();
  });

  it("a full disk takes back what it could not keep, and no more", async () => {
    const whole = createSimulatedDisk();
    await tell(whole, createPlaces());
    for (let refuseAt = 5; refuseAt <= whole.steps; refuseAt++) {
      const disk = createSimulatedDisk();
      const places = createPlaces();
      const snapshotter = await openOverFiles(disk, createMemoryStorage(places));
      disk.refuseAt = refuseAt;
      for (const step of story) await step(snapshotter).catch(() => {});
      const live = await contentOf(snapshotter);
      await snapshotter.close();
      const again = await openOverFiles(disk.reboot("nothing is lost"), createMemoryStorage(places));
      // After a failed flush the disk may hold the last change, which was refused.
      const names = (content: string) => content.split("\n").map((line) => line.split(",")[0]);
      const reopened = await contentOf(again);
      if (live !== reopened) expect(names(reopened).length - names(live).length).toBeLessThanOrEqual(1);
      await again.close();
    }
  });
});
