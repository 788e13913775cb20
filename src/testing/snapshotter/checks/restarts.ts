import { deepEqual, equal } from "node:assert/strict";
import type { SnapshotterCheck } from "../check.ts";
import { needsReopen } from "../needs.ts";

export const restartChecks: readonly SnapshotterCheck[] = [
  {
    id: "restart/all",
    title: "everything is as it was after a restart, with the same mounts",
    needs: needsReopen,
    async run(context) {
      const { newName, newCommitted, listOwn } = context;
      const parent = await newCommitted(await newCommitted());
      const [active, view] = [newName(), newName()];
      const mounts = [
        await context.snapshotter.prepare(active, { parent, labels: { "containerd.io/snapshot.ref": "x" } }),
        await context.snapshotter.view(view, { parent }),
      ];
      const before = await listOwn();
      const usage = await context.snapshotter.usage(parent);
      await context.reopen();
      deepEqual(toPlainObject(await listOwn()), toPlainObject(before));
      deepEqual([await context.snapshotter.mounts(active), await context.snapshotter.mounts(view)], mounts);
      deepEqual(await context.snapshotter.usage(parent), usage);
    },
  },
  {
    id: "restart/places",
    title: "what is made after a restart, or after a removal, has a place that nothing had before",
    needs: needsReopen,
    async run(context) {
      const places = new Set<string>();
      let made = 0;
      for (let restarts = 0; restarts < 3; restarts++) {
        if (restarts > 0) await context.reopen();
        for (let count = 0; count < 3; count++) {
          const key = context.newName();
          places.add(JSON.stringify(await context.snapshotter.prepare(key, {})));
          made++;
          await context.snapshotter.remove(key);
        }
      }
      equal(places.size, made);
    },
  },
  {
    id: "restart/rules",
    title: "the rules hold after a restart: keys are taken, parents are kept",
    needs: needsReopen,
    async run(context) {
      const { newName, newCommitted, refused } = context;
      const parent = await newCommitted();
      const key = newName();
      await context.snapshotter.prepare(key, { parent });
      await context.reopen();
      await refused(context.snapshotter.prepare(key, {}), "ALREADY_EXISTS");
      await refused(context.snapshotter.remove(parent), "FAILED_PRECONDITION");
      await context.snapshotter.remove(key);
      await context.snapshotter.remove(parent);
    },
  },
];

function toPlainObject<T extends object>(infos: ReadonlyMap<string, T>): object {
  return Object.fromEntries(Array.from(infos, ([name, info]) => [name, { ...info }]));
}
