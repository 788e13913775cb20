import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Mount } from "../../../snapshotter/index.ts";
import type { SnapshotterCheck } from "../check.ts";

/** An overlay that has nowhere to write to is read-only without a word. */
const isReadOnly = ({ options }: Mount) => {
  const has = (name: string) => options.some((option) => option.startsWith(`${name}=`));
  return options.includes("ro") || (has("lowerdir") && !has("upperdir"));
};

/** Of both ways to make a snapshot. */
const making: readonly SnapshotterCheck[] = (["prepare", "view"] as const).flatMap((method): SnapshotterCheck[] => [
  {
    id: `life/${method}-mounts`,
    title: `${method} tells mounts, and mounts tells the same again`,
    async run({ snapshotter, newName, newCommitted }) {
      for (const parent of [undefined, await newCommitted(), await newCommitted(await newCommitted())]) {
        const key = newName();
        const mounts = await snapshotter[method](key, { parent });
        equal(mounts.length, 1);
        equal(mounts.every(isReadOnly), method === "view");
        deepEqual(await snapshotter.mounts(key), mounts);
      }
    },
  },
  {
    id: `life/${method}-twice`,
    title: `${method} of a key that is taken is refused, whatever has it`,
    async run({ snapshotter, newName, newCommitted, refused }) {
      const [active, view, committed] = [newName(), newName(), await newCommitted()];
      await snapshotter.prepare(active, {});
      await snapshotter.view(view, {});
      for (const taken of [active, view, committed]) await refused(snapshotter[method](taken, {}), "ALREADY_EXISTS");
      equal((await snapshotter.stat(active)).kind, "active");
    },
  },
  {
    id: `life/${method}-parent`,
    title: `${method} on a parent that is not there, or not committed, is refused and makes nothing`,
    async run({ snapshotter, newName, refused }) {
      const [active, view, key] = [newName(), newName(), newName()];
      await snapshotter.prepare(active, {});
      await snapshotter.view(view, {});
      await refused(snapshotter[method](key, { parent: "nobody" }), "NOT_FOUND");
      await refused(snapshotter[method](key, { parent: active }), "INVALID_ARGUMENT");
      await refused(snapshotter[method](key, { parent: view }), "INVALID_ARGUMENT");
      await refused(snapshotter[method](key, { parent: key }), "NOT_FOUND");
      await refused(snapshotter.stat(key), "NOT_FOUND");
      await snapshotter[method](key, {});
    },
  },
]);

export const lifeCycleChecks: readonly SnapshotterCheck[] = [
  ...making,
  {
    id: "life/unknown",
    title: "a snapshot that is not there is not found by any method",
    async run({ snapshotter, newName, refused }) {
      const calls = [
        () => snapshotter.mounts("nobody"),
        () => snapshotter.commit(newName(), "nobody", {}),
        () => snapshotter.remove("nobody"),
        () => snapshotter.stat("nobody"),
        () => snapshotter.update("nobody", { labels: {} }),
        () => snapshotter.usage("nobody"),
      ];
      for (const call of calls) await refused(call(), "NOT_FOUND");
    },
  },
  {
    id: "life/committed-mounts",
    title: "a committed snapshot has no mounts",
    async run({ snapshotter, newCommitted, refused }) {
      await refused(snapshotter.mounts(await newCommitted()), "FAILED_PRECONDITION");
    },
  },
  {
    id: "life/remove-parent",
    title: "a parent is not removed before its children, and stays as it is",
    async run({ snapshotter, newName, newCommitted, refused }) {
      const parent = await newCommitted();
      for (const method of ["prepare", "view"] as const) {
        const child = newName();
        await snapshotter[method](child, { parent });
        const error = await refused(snapshotter.remove(parent), "FAILED_PRECONDITION");
        match(error.message, /remove/); // containerd's own suite looks for it
        equal((await snapshotter.stat(parent)).kind, "committed");
        await snapshotter.remove(child);
      }
      const child = await newCommitted(parent);
      await refused(snapshotter.remove(parent), "FAILED_PRECONDITION");
      await snapshotter.remove(child);
      await snapshotter.remove(parent);
      await refused(snapshotter.stat(parent), "NOT_FOUND");
    },
  },
  {
    id: "life/reuse",
    title: "a key and a name are free once their snapshot is removed",
    async run({ snapshotter, newName }) {
      const [key, name] = [newName(), newName()];
      for (const method of ["prepare", "view", "prepare"] as const) {
        await snapshotter[method](key, {});
        await snapshotter.remove(key);
      }
      for (let times = 0; times < 2; times++) {
        await snapshotter.prepare(key, {});
        await snapshotter.commit(name, key, {});
        await snapshotter.remove(name);
      }
    },
  },
  {
    id: "life/usage",
    title: "usage is told of every kind, the same each time of a committed one",
    async run({ snapshotter, newName, newCommitted }) {
      const committed = await newCommitted();
      const [active, view] = [newName(), newName()];
      await snapshotter.prepare(active, { parent: committed });
      await snapshotter.view(view, { parent: committed });
      for (const name of [committed, active, view]) {
        const { sizeBytes, inodes } = await snapshotter.usage(name);
        ok(sizeBytes >= 0 && inodes >= 0);
      }
      deepEqual(await snapshotter.usage(committed), await snapshotter.usage(committed));
    },
  },
  {
    id: "life/cleanup",
    title: "cleanup takes nothing away that somebody has",
    async run({ snapshotter, newName, newCommitted }) {
      const key = newName();
      const mounts = await snapshotter.prepare(key, { parent: await newCommitted() });
      await snapshotter.cleanup();
      deepEqual(await snapshotter.mounts(key), mounts);
    },
  },
];
