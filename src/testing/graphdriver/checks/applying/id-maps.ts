import { deepEqual, equal } from "node:assert/strict";
import { lstatSync } from "node:fs";
import { readArchive } from "../../../archive/index.ts";
import { file, folder, symlink } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import {
  applyEntries,
  makeContainer,
  makeEmptyLayer,
  makeLayer,
  readDiff,
  readLayer,
  visitLayer,
} from "../../layers.ts";
import { root } from "../../needs.ts";

/** Host ids that a usual user namespace has as well. */
const maps = {
  uidMaps: [{ containerId: 0, hostId: 10_000, size: 1000 }],
  gidMaps: [
    { containerId: 0, hostId: 20_000, size: 100 },
    { containerId: 100, hostId: 500, size: 100 },
  ],
};

const entries = [
  folder("d"),
  file("d/f", "f", { uid: 7, gid: 100 }),
  file("implied/f", "f"),
  symlink("l", "d", { uid: 1 }),
];

export const idMapChecks: readonly GraphDriverCheck[] = [
  {
    id: "idmap/apply",
    title: "with maps of ids, a layer's owners are on disk what the maps say",
    needs: root,
    async run(context) {
      await context.reopen(maps);
      const id = await makeLayer(context, undefined, entries);
      const owners = [...(await readLayer(context, id))].map(([path, { uid, gid }]) => `${path} ${uid}:${gid}`);
      const asRoot = "10000:20000";
      deepEqual(owners.toSorted(), [
        `d ${asRoot}`,
        "d/f 10007:500",
        `implied ${asRoot}`,
        `implied/f ${asRoot}`,
        "l 10001:20000",
      ]);
    },
  },
  {
    id: "idmap/diff",
    title: "with maps of ids, a diff has the owners that the archive had",
    needs: root,
    async run(context) {
      await context.reopen(maps);
      // A diff that is made anew names every folder.
      const id = await makeLayer(context, undefined, entries.toSpliced(2, 0, folder("implied")));
      const found = readArchive(await readDiff(context, id)).map(({ header }) => `${header.uid}:${header.gid}`);
      deepEqual(found, ["0:0", "7:100", "0:0", "0:0", "1:0"]);
    },
  },
  {
    id: "idmap/root",
    title: "with maps of ids, the root of a layer belongs to the mapped root",
    needs: root,
    async run(context) {
      await context.reopen(maps);
      const image = await makeEmptyLayer(context);
      for (const id of [image, await makeContainer(context, image)]) {
        await visitLayer(context, id, (path) => {
          const { uid, gid } = lstatSync(path);
          deepEqual([uid, gid], [10_000, 20_000]);
        });
      }
    },
  },
  {
    id: "idmap/unmapped",
    title: "an owner that no map has is refused, and the layer is as it was created",
    needs: root,
    async run(context) {
      await context.reopen(maps);
      const id = await makeEmptyLayer(context);
      const stranger = applyEntries(context, id, undefined, [...entries, file("x", "x", { uid: 5000 })]);
      await context.refused(stranger, "INVALID_ARGUMENT", id);
      equal((await readLayer(context, id)).size, 0);
    },
  },
];
