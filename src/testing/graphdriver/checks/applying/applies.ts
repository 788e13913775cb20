import { deepEqual, ok } from "node:assert/strict";
import { lstatSync } from "node:fs";
import { joinArchive, padToBlock, paxHeader, rawHeader } from "../../../archive/index.ts";
import { type ArchiveEntry, file, folder, hardLink, symlink } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { applyArchive, commitLayer, makeEmptyLayer, makeLayer, readLayer, visitLayer } from "../../layers.ts";
import { hostRoot } from "../../needs.ts";
import { fileKinds } from "../content/file-kinds.ts";

export const applyChecks: readonly GraphDriverCheck[] = [
  ...fileKinds.map(([id, title, entries, needs]): GraphDriverCheck => ({
    id: `apply/${id}`,
    title: `applyDiff keeps ${title}`,
    ...(needs && { needs }),
    run: (context) => assertApplied(context, entries),
  })),
  {
    id: "apply/owner-below-zero",
    title: "applyDiff takes owner -2, in base-256 and in PAX, as 4294967294",
    source: "Go 1.19 archive/tar, os.Lchown",
    needs: hostRoot,
    async run(context) {
      const header = rawHeader({ name: "base-256", typeFlag: "0", uid: Buffer.from("fffffffffffffffe", "hex") });
      const pax = [paxHeader({ uid: "-2", gid: "-2" }), rawHeader({ name: "pax", typeFlag: "0" })];
      const id = await makeEmptyLayer(context);
      await applyArchive(context, id, undefined, joinArchive([header, ...pax]));
      const tree = await readLayer(context, id);
      deepEqual(
        ["base-256", "pax"].map((path) => [tree.get(path)?.uid, tree.get(path)?.gid]),
        [
          [4_294_967_294, 0],
          [4_294_967_294, 4_294_967_294],
        ],
      );
      deepEqual((await readLayer(context, await commitLayer(context, id, undefined))).get("pax")?.uid, 4_294_967_294);
    },
  },
  {
    id: "apply/over-lower",
    title: "applyDiff replaces files of the layer below, whatever their kinds",
    async run(context) {
      const below = [
        file("to-folder", "f"),
        folder("to-file"),
        file("to-file/x", "x"),
        symlink("to-real", "to-file"),
        file("mode", "m"),
        folder("d", { mode: 0o700 }),
        file("d/stays", "s"),
        file("linked", "l"),
        hardLink("linked-too", "linked"),
      ];
      const above = [
        folder("to-folder"),
        file("to-folder/in", "i"),
        file("to-file", "now a file"),
        folder("to-real"),
        file("to-real/in", "i"),
        file("mode", "m", { mode: 0o600 }),
        folder("d", { mode: 0o750 }),
        file("d/more", "m"),
        file("linked", "no more"),
      ];
      const replay = await context.newReplay();
      replay.apply(below);
      replay.apply(above);
      const image = await makeLayer(context, undefined, below);
      const id = await makeLayer(context, image, above);
      assertSameTree(await readLayer(context, id), replay.tree(), "layer");
    },
  },
  {
    id: "apply/implied-parent-of-lower",
    title: "a folder of the layer below that the archive only implies keeps its mode and owner",
    source: "containerd v1.6.20 archive/tar.go mkparent",
    async run(context) {
      const below = [
        folder("tmp", { mode: 0o1777 }),
        folder("private", { mode: 0o700 }),
        folder("gone"),
        file("gone/x", "x"),
      ];
      const above = [file("tmp/new", "x"), file("private/deep/new", "x"), file("gone/.wh.x", "")];
      const replay = await context.newReplay();
      replay.apply(below);
      replay.apply(above);
      const id = await makeLayer(context, await makeLayer(context, undefined, below), above);
      assertSameTree(await readLayer(context, id), replay.tree(), "layer");
    },
  },
  {
    id: "apply/sparse",
    title: "applyDiff reads a sparse file and leaves its holes",
    async run(context) {
      const sizeBytes = 2 ** 24;
      const data = Buffer.alloc(4096, "data");
      const map = padToBlock(Buffer.from(`2\n${sizeBytes / 2}\n${data.length}\n${sizeBytes}\n0\n`));
      const records = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "holes",
        "GNU.sparse.realsize": String(sizeBytes),
      };
      const header = rawHeader({ name: "GNUSparseFile.0/holes", typeFlag: "0", size: map.length + data.length });
      const id = await makeEmptyLayer(context);
      await applyArchive(context, id, undefined, joinArchive([paxHeader(records), header, map, padToBlock(data)]));

      const whole = Buffer.alloc(sizeBytes);
      data.copy(whole, sizeBytes / 2);
      const replay = await context.newReplay();
      replay.apply([file("holes", whole, { mtimeSeconds: 0 })]);
      assertSameTree(await readLayer(context, id), replay.tree(), "layer");
      const blocks = await visitLayer(context, id, (path) => lstatSync(`${path}/holes`).blocks);
      ok(blocks * 512 < sizeBytes / 2, `${blocks * 512} bytes are allocated for ${data.length} bytes of data`);
    },
  },
];

async function assertApplied(context: GraphDriverContext, entries: readonly ArchiveEntry[]): Promise<void> {
  const replay = await context.newReplay();
  replay.apply(entries);
  const id = await makeLayer(context, undefined, entries);
  assertSameTree(await readLayer(context, id), replay.tree(), "layer");
  // A container sees it through whatever the driver puts over it.
  const child = await makeEmptyLayer(context, id);
  assertSameTree(await readLayer(context, child), replay.tree(), "layer on top");
}
