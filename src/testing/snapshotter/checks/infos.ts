import { deepEqual, equal, ok } from "node:assert/strict";
import type { SnapshotterCheck } from "../check.ts";

export const infoChecks: readonly SnapshotterCheck[] = [
  {
    id: "info/kinds",
    title: "stat tells name, kind and parent",
    async run({ snapshotter, newName, newCommitted }) {
      const parent = await newCommitted();
      const [active, view] = [newName(), newName()];
      await snapshotter.prepare(active, { parent });
      await snapshotter.view(view, { parent });
      const told = async (name: string) => {
        const { name: own, kind, parent: on } = await snapshotter.stat(name);
        return [own, kind, on];
      };
      deepEqual(await told(parent), [parent, "committed", undefined]);
      deepEqual(await told(active), [active, "active", parent]);
      deepEqual(await told(view), [view, "view", parent]);
    },
  },
  {
    id: "info/times",
    title: "times are those of the machine's clock, finer than a millisecond, and new with a commit",
    source: "containerd v1.6.20 snapshots/testsuite/testsuite.go, checkUpdate",
    async run({ snapshotter, newName }) {
      const fine: boolean[] = [];
      for (let times = 0; times < 5; times++) {
        const [key, name] = [newName(), newName()];
        const before = BigInt(Date.now()) * million;
        await snapshotter.prepare(key, {});
        const prepared = await snapshotter.stat(key);
        await snapshotter.commit(name, key, {});
        const committed = await snapshotter.stat(name);
        const after = BigInt(Date.now() + 1) * million;
        equal(prepared.createdNs, prepared.updatedNs);
        equal(committed.createdNs, committed.updatedNs);
        const order = [before, prepared.createdNs, committed.createdNs, after];
        ok(
          order.every((time, at) => at === 0 || (order[at - 1] as bigint) <= time),
          order.join(" "),
        );
        ok(prepared.createdNs < committed.createdNs);
        fine.push(prepared.createdNs % million !== 0n);
      }
      ok(fine.includes(true), "times are whole milliseconds");
    },
  },
  {
    id: "info/update-time",
    title: "an update sets the time of the last update, and leaves that of the creation",
    async run({ snapshotter, newName }) {
      const key = newName();
      await snapshotter.prepare(key, {});
      const before = await snapshotter.stat(key);
      const updated = await snapshotter.update(key, { labels: { "containerd.io/snapshot/a": "1" } });
      equal(updated.createdNs, before.createdNs);
      ok(updated.updatedNs > before.updatedNs);
      deepEqual({ ...(await snapshotter.stat(key)) }, { ...updated });
    },
  },
];

const million = 1_000_000n;
