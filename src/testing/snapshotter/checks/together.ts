import { deepEqual, equal } from "node:assert/strict";
import { CleatError } from "../../../errors/index.ts";
import type { SnapshotterCheck } from "../check.ts";

/** How often each outcome came: "ok", or a code. */
async function count(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.allSettled(calls)) {
    const reason: unknown = outcome.status === "rejected" ? outcome.reason : undefined;
    const word = reason === undefined ? "ok" : reason instanceof CleatError ? reason.code : String(reason);
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

export const togetherChecks: readonly SnapshotterCheck[] = [
  {
    id: "together/thousand",
    title: "a thousand snapshots are prepared and committed at once",
    async run({ snapshotter, newName, newCommitted, listOwn }) {
      const parent = await newCommitted();
      const pairs = Array.from({ length: 1_000 }, () => [newName("key"), newName("name")] as const);
      deepEqual(await count(pairs.map(([key]) => snapshotter.prepare(key, { parent }))), { ok: 1_000 });
      deepEqual(await count(pairs.map(([key, name]) => snapshotter.commit(name, key, {}))), { ok: 1_000 });
      const listed = await listOwn(["kind==committed"]);
      equal(listed.size, 1_001);
      deepEqual(await count(pairs.map(([, name]) => snapshotter.remove(name))), { ok: 1_000 });
      equal((await listOwn()).size, 1);
    },
  },
  {
    id: "together/same-key",
    title: "of many who want one key at once, one gets it",
    async run({ snapshotter, newName }) {
      const key = newName();
      const wanted = Array.from({ length: 50 }, (_, index) =>
        snapshotter[index % 2 === 0 ? "prepare" : "view"](key, {}),
      );
      deepEqual(await count(wanted), { ok: 1, ALREADY_EXISTS: 49 });
    },
  },
  {
    id: "together/same-name",
    title: "of many who commit to one name at once, one does, and the others stay active",
    async run({ snapshotter, newName, listOwn }) {
      const name = newName();
      const keys = Array.from({ length: 30 }, () => newName());
      await Promise.all(keys.map((key) => snapshotter.prepare(key, {})));
      deepEqual(await count(keys.map((key) => snapshotter.commit(name, key, {}))), { ok: 1, ALREADY_EXISTS: 29 });
      equal((await listOwn(["kind==active"])).size, 29);
    },
  },
  {
    id: "together/parent-removed",
    title: "a parent that is removed while children are made is gone or has them, never both",
    async run({ snapshotter, newName, newCommitted }) {
      for (let times = 0; times < 10; times++) {
        const parent = await newCommitted();
        const keys = Array.from({ length: 5 }, () => newName());
        const making = keys.map((key) => snapshotter.prepare(key, { parent }));
        const [removed, ...made] = await Promise.allSettled([snapshotter.remove(parent), ...making]);
        const children = made.filter(({ status }) => status === "fulfilled").length;
        equal(removed.status === "fulfilled", children === 0);
        const there = await snapshotter.stat(parent).then(
          () => true,
          () => false,
        );
        equal(there, children > 0);
      }
    },
  },
  {
    id: "together/remove-twice",
    title: "of many who remove one snapshot at once, one does",
    async run({ snapshotter, newName }) {
      const key = newName();
      await snapshotter.prepare(key, {});
      const removing = Array.from({ length: 20 }, () => snapshotter.remove(key));
      deepEqual(await count(removing), { ok: 1, NOT_FOUND: 19 });
    },
  },
  {
    id: "together/updates",
    title: "updates of different labels at once are all kept",
    async run({ snapshotter, newName }) {
      const key = newName();
      await snapshotter.prepare(key, {});
      const keys = Array.from({ length: 50 }, (_, index) => `containerd.io/snapshot/${index}`);
      await Promise.all(
        keys.map((label) => snapshotter.update(key, { labels: { [label]: "x" }, paths: [`labels.${label}`] })),
      );
      equal(Object.keys((await snapshotter.stat(key)).labels).length, 50);
    },
  },
];
