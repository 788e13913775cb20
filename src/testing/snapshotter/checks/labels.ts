import { deepEqual } from "node:assert/strict";
import type { Labels } from "../../../snapshotter/index.ts";
import type { SnapshotterCheck } from "../check.ts";
import type { SnapshotterContext } from "../context.ts";

/** Such that containerd passes on to its snapshotters. */
const label = (short: string) => `containerd.io/snapshot/${short}`;
const [a, b, c] = [label("a"), label("b.c/d"), label("c")];

async function prepareWith({ snapshotter, newName }: SnapshotterContext, labels: Labels): Promise<string> {
  const key = newName();
  await snapshotter.prepare(key, { labels });
  return key;
}

async function assertLabels({ snapshotter }: SnapshotterContext, name: string, expected: Labels): Promise<void> {
  const { labels } = await snapshotter.stat(name);
  deepEqual(Object.entries(labels).toSorted(), Object.entries(expected).toSorted());
}

interface Update {
  readonly id: string;
  readonly title: string;
  readonly labels: Labels;
  readonly paths?: readonly string[];
  readonly expected: Labels;
}

const updates: readonly Update[] = [
  {
    id: "label/replace",
    title: "an update without paths replaces all labels",
    labels: { [c]: "3" },
    expected: { [c]: "3" },
  },
  {
    id: "label/replace-path",
    title: 'an update of the path "labels" replaces all labels',
    labels: { [c]: "3" },
    paths: ["labels"],
    expected: { [c]: "3" },
  },
  {
    id: "label/one",
    title: "an update of the path of one label, whose key holds dots and slashes, leaves the others",
    labels: { [b]: "4", [c]: "3" },
    paths: [`labels.${b}`],
    expected: { [a]: "1", [b]: "4" },
  },
  {
    id: "label/delete-missing",
    title: "a path of a label that is not given takes it away",
    labels: {},
    paths: [`labels.${a}`],
    expected: { [b]: "2" },
  },
  {
    id: "label/delete-empty",
    title: "a path of a label whose value is empty takes it away",
    labels: { [a]: "" },
    paths: [`labels.${a}`],
    expected: { [b]: "2" },
  },
  {
    id: "label/empty",
    title: "a label whose value is empty is none",
    labels: { [a]: "", [c]: "3" },
    expected: { [c]: "3" },
  },
  {
    id: "label/clear",
    title: "an update with no labels takes all away",
    labels: {},
    paths: ["labels"],
    expected: {},
  },
];

export const labelChecks: readonly SnapshotterCheck[] = [
  ...updates.map(({ id, title, labels, paths, expected }): SnapshotterCheck => ({
    id,
    title,
    async run(context) {
      const key = await prepareWith(context, { [a]: "1", [b]: "2" });
      await context.snapshotter.update(key, { labels, paths });
      await assertLabels(context, key, expected);
    },
  })),
  {
    id: "label/immutable",
    title: "an update of anything but labels is refused, and changes nothing",
    async run(context) {
      const key = await prepareWith(context, { [a]: "1" });
      for (const path of ["parent", "kind", "name", "created_at", "label", "labelsx", ""]) {
        const update = context.snapshotter.update(key, { labels: { [c]: "3" }, paths: [`labels.${c}`, path] });
        await context.refused(update, "INVALID_ARGUMENT");
      }
      await assertLabels(context, key, { [a]: "1" });
    },
  },
  {
    id: "label/size",
    title: "a label and its value may have 4,096 bytes, and no more",
    source: "containerd v1.6.20 labels/validate.go",
    async run(context) {
      const fitting = { [a]: "\u00e4".repeat((4_096 - a.length - 1) / 2) };
      const key = await prepareWith(context, fitting);
      await assertLabels(context, key, fitting);
      const long = { [a]: "x".repeat(4_097 - a.length) };
      await context.refused(context.snapshotter.prepare(context.newName(), { labels: long }), "INVALID_ARGUMENT");
      await context.refused(context.snapshotter.update(key, { labels: long }), "INVALID_ARGUMENT");
      await context.refused(context.snapshotter.commit(context.newName(), key, { labels: long }), "INVALID_ARGUMENT");
      await assertLabels(context, key, fitting);
    },
  },
  {
    id: "label/any-text",
    title: "keys and values of labels are text of any kind",
    async run(context) {
      const labels = Object.fromEntries(
        ["__proto__", "constructor", "a b", "\u{1f9f5}", "line\nbreak", "0", '"'].map((key) => [label(key), `${key}=`]),
      );
      const key = await prepareWith(context, labels);
      await assertLabels(context, key, labels);
      if (!context.abilities.reopens) return;
      await context.reopen();
      await assertLabels(context, key, labels);
    },
  },
];
