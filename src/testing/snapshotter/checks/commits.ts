import { deepEqual, equal } from "node:assert/strict";
import type { SnapshotterCheck } from "../check.ts";
import { needsRebase } from "../needs.ts";

export const commitChecks: readonly SnapshotterCheck[] = [
  {
    id: "commit/moves",
    title: "a commit frees the key, keeps the parent, and takes the labels it is given and no others",
    async run({ snapshotter, newName, newCommitted, refused }) {
      const parent = await newCommitted();
      const [key, name] = [newName(), newName()];
      await snapshotter.prepare(key, { parent, labels: { "containerd.io/snapshot/a": "1" } });
      await snapshotter.commit(name, key, { labels: { "containerd.io/snapshot/b": "2" } });
      const { kind, parent: found, labels } = await snapshotter.stat(name);
      deepEqual([kind, found], ["committed", parent]);
      equal(labels["containerd.io/snapshot/a"], undefined);
      equal(labels["containerd.io/snapshot/b"], "2");
      await refused(snapshotter.stat(key), "NOT_FOUND");
      await refused(snapshotter.commit(newName(), key, {}), "NOT_FOUND");
      await snapshotter.prepare(key, { parent: name });
    },
  },
  {
    id: "commit/taken",
    title: "a commit to a name that is taken is refused, and the active snapshot stays",
    async run({ snapshotter, newName, newCommitted, refused }) {
      const [key, other, committed] = [newName(), newName(), await newCommitted()];
      await snapshotter.prepare(key, {});
      await snapshotter.prepare(other, {});
      for (const taken of [committed, other, key]) {
        await refused(snapshotter.commit(taken, key, {}), "ALREADY_EXISTS");
      }
      equal((await snapshotter.stat(key)).kind, "active");
    },
  },
  {
    id: "commit/not-active",
    title: "a view is never committed, nor what is committed already",
    async run({ snapshotter, newName, newCommitted, refused }) {
      const [view, committed] = [newName(), await newCommitted()];
      await snapshotter.view(view, { parent: committed });
      await refused(snapshotter.commit(newName(), view, {}), "FAILED_PRECONDITION");
      await refused(snapshotter.commit(newName(), committed, {}), "FAILED_PRECONDITION");
      equal((await snapshotter.stat(view)).kind, "view");
    },
  },
  {
    id: "commit/same-parent",
    title: "a commit may name the parent that the snapshot has, and no other",
    source: "containerd v2.2.0 core/snapshots/storage/bolt.go",
    async run({ snapshotter, newName, newCommitted, refused }) {
      const [parent, other] = [await newCommitted(), await newCommitted()];
      const [key, name] = [newName(), newName()];
      await snapshotter.prepare(key, { parent });
      await refused(snapshotter.commit(name, key, { parent: other }), "INVALID_ARGUMENT");
      await refused(snapshotter.commit(name, key, { parent: "nobody" }), "INVALID_ARGUMENT");
      await snapshotter.commit(name, key, { parent });
      equal((await snapshotter.stat(name)).parent, parent);
    },
  },
  {
    id: "commit/rebase",
    title: "a commit gives a parent to a snapshot that has none, which holds it then",
    source: "containerd v2.2.0 core/snapshots/storage/bolt.go",
    needs: needsRebase,
    async run(context) {
      const { newName, newCommitted, refused } = context;
      const [key, name, parent] = [newName(), newName(), await newCommitted()];
      await context.snapshotter.prepare(key, {});
      const younger = await newCommitted(); // than what it becomes the parent of
      await context.snapshotter.commit(name, key, { parent: younger });
      equal((await context.snapshotter.stat(name)).parent, younger);
      await refused(context.snapshotter.remove(younger), "FAILED_PRECONDITION");
      await context.snapshotter.prepare(newName(), { parent: name });
      await context.snapshotter.remove(parent);
      if (!context.abilities.reopens) return;
      await context.reopen();
      equal((await context.snapshotter.stat(name)).parent, younger);
    },
  },
  {
    id: "commit/rebase-refused",
    title: "a commit on a new parent that is not there, or not committed, is refused",
    source: "containerd v2.2.0 core/snapshots/storage/bolt.go",
    needs: needsRebase,
    async run({ snapshotter, newName, refused }) {
      const [key, active] = [newName(), newName()];
      await snapshotter.prepare(key, {});
      await snapshotter.prepare(active, {});
      await refused(snapshotter.commit(newName(), key, { parent: "nobody" }), "NOT_FOUND");
      await refused(snapshotter.commit(newName(), key, { parent: active }), "FAILED_PRECONDITION");
      await refused(snapshotter.commit(newName(), key, { parent: key }), "FAILED_PRECONDITION");
      equal((await snapshotter.stat(key)).parent, undefined);
    },
  },
  {
    id: "commit/no-rebase",
    title: "a snapshotter that gives no parents says so, and commits nothing",
    needs: ({ abilities }) => (abilities.rebase ? "the snapshotter gives parents" : undefined),
    async run({ snapshotter, newName, newCommitted, refused }) {
      const [key, parent] = [newName(), await newCommitted()];
      await snapshotter.prepare(key, {});
      await refused(snapshotter.commit(newName(), key, { parent }), "UNIMPLEMENTED");
      equal((await snapshotter.stat(key)).kind, "active");
    },
  },
];
