import { deepEqual, ok } from "node:assert/strict";
import * as fs from "node:fs";
import type { Usage } from "../../../snapshotter/index.ts";
import type { SnapshotterCheck } from "../check.ts";
import { needsMounts } from "../needs.ts";

const mebibyte = 1024 * 1024;

/** What folders and a file system's own ways of counting may add. */
const slackBytes = 256 * 1024;

function assertAbout(actual: Usage, sizeBytes: number, inodes: number, subject: string): void {
  const isSize = actual.sizeBytes >= sizeBytes && actual.sizeBytes <= sizeBytes + slackBytes;
  const isCount = actual.inodes === inodes || actual.inodes === inodes - 1; // the root may count as the parent's
  ok(isSize && isCount, `${subject}: ${JSON.stringify(actual)}, expected ${sizeBytes} and ${inodes}`);
}

function fill(path: string, name: string): void {
  fs.writeFileSync(`${path}/${name}`, Buffer.alloc(mebibyte, name));
}

export const usageChecks: readonly SnapshotterCheck[] = [
  {
    id: "usage/added",
    title: "usage is what a snapshot adds to its parent, and of a committed one what it was when it was committed",
    needs: needsMounts,
    async run({ snapshotter, abilities, newName, newLayer, within }) {
      const base = await newLayer(undefined, (path) => ["a", "b", "c"].forEach((name) => fill(path, name)));
      assertAbout(await snapshotter.usage(base), 3 * mebibyte, 4, "base");
      const key = newName();
      await within(await snapshotter.prepare(key, { parent: base }), (path) => fill(path, "d"));
      const expected = (abilities.copies ? [4 * mebibyte, 5] : [mebibyte, 2]) as [number, number];
      assertAbout(await snapshotter.usage(key), ...expected, "active");
      const name = newName();
      await snapshotter.commit(name, key, {});
      assertAbout(await snapshotter.usage(name), ...expected, "committed");
      assertAbout(await snapshotter.usage(base), 3 * mebibyte, 4, "base, afterwards");
    },
  },
  {
    id: "usage/once",
    title: "a file of several names counts once, and a hole takes no room",
    needs: needsMounts,
    async run({ snapshotter, newLayer }) {
      const layer = await newLayer(undefined, (path) => {
        fs.mkdirSync(`${path}/folder`);
        fill(path, "file");
        fs.linkSync(`${path}/file`, `${path}/again`);
        fs.linkSync(`${path}/file`, `${path}/folder/again`);
        fs.writeFileSync(`${path}/hole`, "");
        fs.truncateSync(`${path}/hole`, 64 * mebibyte);
      });
      assertAbout(await snapshotter.usage(layer), mebibyte, 4, "layer");
    },
  },
  {
    id: "usage/views",
    title: "a view takes nothing",
    needs: ({ abilities }) => (abilities.adopts ? undefined : "the snapshotter makes a folder for each view"),
    async run({ snapshotter, newName, newCommitted }) {
      const key = newName();
      await snapshotter.view(key, { parent: await newCommitted() });
      deepEqual(await snapshotter.usage(key), { sizeBytes: 0, inodes: 0 });
    },
  },
];
