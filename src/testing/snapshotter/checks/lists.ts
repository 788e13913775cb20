import { deepEqual, equal } from "node:assert/strict";
import type { SnapshotterCheck } from "../check.ts";

const ref = "containerd.io/snapshot.ref";

export const listChecks: readonly SnapshotterCheck[] = [
  {
    id: "list/as-stat",
    title: "a list tells of each snapshot what stat tells",
    async run({ snapshotter, newName, newCommitted, listOwn }) {
      const parent = await newCommitted();
      await snapshotter.prepare(newName(), { parent, labels: { [ref]: "x" } });
      await snapshotter.view(newName(), { parent });
      const listed = await listOwn();
      equal(listed.size, 3);
      for (const [name, info] of listed) deepEqual({ ...info }, { ...(await snapshotter.stat(name)) });
    },
  },
  {
    id: "list/filters",
    title: "filters choose by name, parent, kind and label; of several one must match, and all of its selectors",
    source: "containerd v1.6.20 snapshots/testsuite/testsuite.go, checkWalk",
    async run({ snapshotter, newName, newCommitted, listOwn }) {
      const parent = await newCommitted();
      const [active, view, labelled] = [newName("active"), newName("view"), newName("labelled")];
      await snapshotter.prepare(active, { parent });
      await snapshotter.view(view, {});
      await snapshotter.prepare(labelled, { parent, labels: { [ref]: "sha256:a,b" } });
      const quoted = (text: string) => JSON.stringify(text);
      const expected: readonly [filters: readonly string[], names: readonly string[]][] = [
        [[], [parent, active, view, labelled]],
        [[""], [parent, active, view, labelled]],
        [[`name==${quoted(active)}`], [active]],
        [[`parent==${quoted(parent)}`], [active, labelled]],
        [['parent!=""'], [active, labelled]],
        [["kind==committed"], [parent]],
        [["kind==active"], [active, labelled]],
        [["kind!=active"], [parent, view]],
        [
          ["kind==view", "kind==committed"],
          [view, parent],
        ],
        [[`labels.${quoted(ref)}`], [labelled]],
        [[`labels.${quoted(ref)}==${quoted("sha256:a,b")}`], [labelled]],
        [[`labels.${quoted(ref)}==x`], []],
        [[`kind==active,labels.${quoted(ref)}`], [labelled]],
        [[`kind==view,labels.${quoted(ref)}`], []],
        [["name~=/^(active|view) /"], [active, view]],
        [["name~=|^lab.*[0-9]$|"], [labelled]],
      ];
      for (const [filters, names] of expected) {
        deepEqual([...(await listOwn(filters)).keys()].toSorted(), names.toSorted(), filters.join(" or "));
      }
    },
  },
  {
    id: "list/malformed",
    title: "a malformed filter is refused",
    async run({ listOwn, refused }) {
      for (const filter of ["kind=", "kind==", "name==a b", "=", "labels.", 'name=="', ",", "kind==active,"]) {
        await refused(listOwn([filter]), "INVALID_ARGUMENT");
        await refused(listOwn(["kind==active", filter]), "INVALID_ARGUMENT");
      }
    },
  },
  {
    id: "list/held-open",
    title: "a list that is read slowly, or left, holds nobody up, and tells what was there when it began",
    async run({ snapshotter, newName }) {
      const keys = Array.from({ length: 250 }, () => newName());
      await Promise.all(keys.map((key) => snapshotter.prepare(key, {})));
      const seen = new Set<string>();
      for await (const { name } of snapshotter.list()) {
        if (seen.size === 0) {
          for (const key of keys.slice(0, 10)) await snapshotter.stat(key);
          await snapshotter.prepare(newName(), {});
          await snapshotter.update(keys[1] as string, { labels: {} });
          await snapshotter.remove(keys[0] as string);
        }
        if (seen.has(name)) throw new Error(`"${name}" was told twice`);
        seen.add(name);
      }
      deepEqual(
        keys.slice(1).filter((key) => !seen.has(key)),
        [],
      );
      for await (const { name } of snapshotter.list()) {
        if (name.length > 0) break;
      }
      await snapshotter.stat(keys[1] as string);
    },
  },
  {
    id: "list/long-labels",
    title: "a list of long labels comes whole",
    async run({ snapshotter, newName, listOwn }) {
      const labels = Object.fromEntries(
        Array.from({ length: 200 }, (_, index) => [`containerd.io/snapshot/${index}`, "x".repeat(4_000)]),
      );
      for (let count = 0; count < 25; count++) await snapshotter.prepare(newName(), { labels });
      const listed = await listOwn();
      equal(listed.size, 25);
      for (const { labels: found } of listed.values()) equal(Object.keys(found).length, 200);
    },
  },
];
