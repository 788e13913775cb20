import { deepEqual } from "node:assert/strict";
import type { SnapshotterCheck } from "../check.ts";

/** What would be something else in a path, in a query, in an object or in a log. */
const oddNames = [
  "default/3/extract-42-abc sha256:0123",
  "../../../etc/passwd",
  "/",
  ".",
  "..",
  "a\\b",
  "a\nb",
  "a\u0001b",
  "caf\u00e9",
  "cafe\u0301",
  "\u{1f9f5}",
  "__proto__",
  "constructor",
  '"quoted"',
  "%2e%2e",
  " ",
  "records",
  "1",
  "x".repeat(255),
  "x".repeat(256),
  "y".repeat(4_096),
];

export const nameChecks: readonly SnapshotterCheck[] = [
  {
    id: "name/any-text",
    title: "keys and names are text of any kind, each another's own",
    async run(context) {
      const { snapshotter, own, listOwn } = context;
      for (const name of oddNames) await snapshotter.prepare(own(name), {});
      const mounts = await Promise.all(oddNames.map((name) => context.snapshotter.mounts(name)));
      deepEqual(new Set(mounts.map((list) => JSON.stringify(list))).size, oddNames.length);
      deepEqual([...(await listOwn()).keys()].toSorted(), oddNames.toSorted());
      for (const name of oddNames) await snapshotter.commit(own(`${name}!`), name, {});
      if (context.abilities.reopens) await context.reopen();
      const committed = oddNames.map((name) => `${name}!`);
      deepEqual([...(await listOwn()).keys()].toSorted(), committed.toSorted());
    },
  },
  {
    id: "name/none",
    title: "an empty key or name is refused, and one that is longer than 32,768 bytes",
    async run({ snapshotter, newName, refused }) {
      const key = newName();
      await snapshotter.prepare(key, {});
      for (const bad of ["", "x".repeat(32_769), "\u00e4".repeat(16_385)]) {
        await refused(snapshotter.prepare(bad, {}), "INVALID_ARGUMENT");
        await refused(snapshotter.view(bad, {}), "INVALID_ARGUMENT");
        await refused(snapshotter.commit(bad, key, {}), "INVALID_ARGUMENT");
        await refused(snapshotter.stat(bad), "NOT_FOUND", "INVALID_ARGUMENT");
        await refused(snapshotter.remove(bad), "NOT_FOUND", "INVALID_ARGUMENT");
      }
    },
  },
];
