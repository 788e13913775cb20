/**
 * What a disk may hold when the power fails: all that was flushed, and of what was written since whatever it likes:
 * each sector was written or not.
 */
import { closeSync, copyFileSync, openSync, rmSync, writeSync } from "node:fs";

import { createRandom } from "../../fuzz/random.mjs";
import { sectorBytes } from "./recorded-disk.mjs";

/**
 * Where file systems keep what tells that they are there, with one checksum over several sectors: ext4 (whose own mount
 * refuses one that is torn; `e2fsck` has a copy) and btrfs. Disks that tear those lose whole file systems, whatever is
 * in them.
 */
const superblocks = [
  [1024, 2048],
  [64 << 10, 68 << 10],
];

const losses = {
  dropped: () => [],
  kept: (writes) => writes,
  "the last alone": (writes) => writes.slice(-1),
  "all but the first": (writes) => writes.slice(1),
  some: (writes, { int }) => writes.filter(() => int(2) === 0),
  torn: (writes, { int }) =>
    writes.map(({ write, at }) => {
      const end = at + int(write.length / sectorBytes + 1) * sectorBytes;
      const inside = superblocks.find(([from, to]) => from < end && end < to);
      return { write: write.subarray(0, (inside?.[1] ?? end) - at), at };
    }),
};

/**
 * Calls `look(image, { marks, loss, after })` for each state: at every flush, and at points between, `count` of them at
 * least, spread over the whole log. Marks are those that had been made by then.
 */
export async function lookAtStates({ base, events, image, count, seed }, look) {
  const random = createRandom(seed);
  const points = pointsOf(events, count, random);
  const flushed = `${image}-flushed`;
  copyFileSync(base, flushed);
  const disk = openSync(flushed, "r+");
  const marks = [];
  let pending = [];
  let states = 0;
  for (const [number, event] of events.entries()) {
    if (event.mark !== undefined) marks.push(event.mark);
    if (event.write !== undefined) pending.push(event);
    if (event.flush) {
      for (const one of pending) put(disk, one);
      pending = [];
    }
    for (const loss of points.get(number) ?? []) {
      const state = `${image}-${states++}`;
      copyFileSync(flushed, state);
      const copy = openSync(state, "r+");
      for (const one of losses[loss](pending, random)) put(copy, one);
      closeSync(copy);
      await look(state, { marks, loss, after: number });
      rmSync(state);
    }
  }
  closeSync(disk);
  return states;
}

const put = (file, { write, at }) => void writeSync(file, write, 0, write.length, at);

/** By number of the event behind which the power fails: how. */
function pointsOf(events, count, { int, pick }) {
  const points = new Map();
  const add = (number, loss) => void points.set(number, [...(points.get(number) ?? []), loss]);
  const flushes = events.flatMap(({ flush }, number) => (flush ? [number] : []));
  const step = Math.max(1, flushes.length / count);
  for (let at = 0; at < flushes.length; at += step) add(flushes[Math.floor(at)], "dropped");
  const acknowledged = events.flatMap(({ mark }, number) => (mark === undefined ? [] : [number]));
  for (const number of acknowledged.slice(0, Math.ceil(count / 2))) add(number, pick(["dropped", "some", "torn"]));
  const ways = Object.keys(losses).slice(1);
  for (let state = [...points.values()].flat().length; state < count; state++) add(int(events.length), pick(ways));
  return points;
}
