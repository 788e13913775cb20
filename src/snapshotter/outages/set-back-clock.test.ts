import { expect, it, vi } from "vitest";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import type { SnapshotInfo, Snapshotter } from "../snapshotter.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";

const clock = vi.hoisted(() => ({ nowNs: 0n }));
vi.mock("../../syscall/index.ts", async (original) => ({ ...(await original<object>()), nowNs: () => clock.nowNs }));

async function infosOf(snapshotter: Snapshotter): Promise<SnapshotInfo[]> {
  const infos: SnapshotInfo[] = [];
  for await (const info of snapshotter.list()) infos.push(info);
  return infos.toSorted((one, other) => one.name.localeCompare(other.name));
}

it("a clock set back, before 1970 even, changes times alone, and a reopened snapshotter tells the same", async () => {
  const disk = createSimulatedDisk();
  const places = createPlaces();
  const snapshotter = await openOverFiles(disk, createMemoryStorage(places));
  const layer = async (name: string, parent: string | undefined, atNs: bigint) => {
    clock.nowNs = atNs;
    await snapshotter.prepare(`key of ${name}`, { parent });
    await snapshotter.commit(name, `key of ${name}`, {});
  };
  await layer("a", undefined, 2_000_000_000_123_456_789n);
  await layer("b", "a", 1_000_000_000_000_000_001n);
  await layer("c", "b", -5n);
  clock.nowNs = 7n;
  await snapshotter.update("a", { labels: { later: "by the clock earlier" } });
  const before = await infosOf(snapshotter);
  expect(before.map(({ name, parent, createdNs, updatedNs }) => [name, parent, createdNs, updatedNs])).toEqual([
    ["a", undefined, 2_000_000_000_123_456_789n, 7n],
    ["b", "a", 1_000_000_000_000_000_001n, 1_000_000_000_000_000_001n],
    ["c", "b", -5n, -5n],
  ]);
  await snapshotter.close();
  const again = await openOverFiles(disk.reboot("all is lost"), createMemoryStorage(places));
  expect(await infosOf(again)).toEqual(before);
  await again.close();
});
