import { type ArchiveEntry, file, folder, opaque, symlink, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { applyEntries, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";
import { diffsMadeAnew } from "../../needs.ts";

const below = [
  folder("d"),
  file("d/one", "1"),
  file("d/two", "2"),
  folder("d/sub"),
  file("d/sub/deep", "deep"),
  file("f", "f"),
  symlink("l", "d"),
];

/** Each row is a list of layers on top of `below`. */
const rows: readonly [id: string, title: string, ...layers: readonly ArchiveEntry[][]][] = [
  ["file", "a whiteout hides a file", [whiteout("f"), whiteout("d/one")]],
  ["folder", "a whiteout hides a folder and all in it", [whiteout("d")]],
  ["symlink", "a whiteout hides a symlink, not what it points to", [whiteout("l")]],
  [
    "missing",
    "a whiteout of a name that is not there does nothing",
    [whiteout("nothing"), whiteout("d/nothing"), file("x", "x")],
  ],
  ["opaque", "an opaque folder hides everything below in it", [folder("d"), opaque("d"), file("d/new", "n")]],
  [
    "opaque-last",
    "an opaque marker at the end spares what its own archive brought",
    [folder("d"), file("d/new", "n"), folder("d/sub"), file("d/sub/new", "n"), opaque("d")],
  ],
  [
    "opaque-nested",
    "an opaque folder in a folder hides only its own",
    [folder("d"), folder("d/sub"), opaque("d/sub"), file("d/sub/new", "n")],
  ],
  ["then-file", "a name that is hidden and then made anew is the new file", [whiteout("f"), file("f", "new")]],
  ["file-then", "a name that is made and then hidden is the new file all the same", [file("f", "new"), whiteout("f")]],
  [
    "then-folder",
    "a folder that is hidden and then made anew has nothing of the old one",
    [whiteout("d"), folder("d"), file("d/new", "n")],
  ],
  [
    "folder-then",
    "a folder that is made and then hidden has nothing of the old one",
    [folder("d"), file("d/new", "n"), folder("d/sub"), whiteout("d")],
  ],
  [
    "folder-to-file",
    "a folder becomes a file, and a folder again, over three layers",
    [whiteout("d"), file("d", "file")],
    [whiteout("d"), folder("d"), file("d/x", "x")],
  ],
  [
    "folder-to-file-plain",
    "a folder becomes a file, and a folder again, without whiteouts",
    [file("d", "file")],
    [folder("d"), file("d/x", "x")],
  ],
  ["file-to-symlink", "a file becomes a symlink and a folder", [symlink("f", "d")], [folder("f"), file("f/x", "x")]],
  [
    "kinds-at-once",
    "file, folder and symlink of one name in one archive",
    [file("d", "1"), folder("d"), file("d/x", "x"), symlink("d", "f"), folder("d"), file("d/last", "l")],
  ],
  [
    "hide-and-show",
    "what one layer hides a later one shows anew",
    [whiteout("d/one"), whiteout("f")],
    [folder("d"), file("d/one", "again"), file("f", "again")],
    [whiteout("f")],
  ],
  [
    "opaque-then-more",
    "an opaque folder stays so under later layers",
    [folder("d"), opaque("d"), file("d/a", "a")],
    [folder("d"), file("d/b", "b")],
    [whiteout("d/a")],
  ],
  [
    "reserved",
    "aufs's own files are no part of the layer",
    [folder(".wh..wh.plnk"), file(".wh..wh.aufs", ""), file("x", "x")],
  ],
];

const invalid: readonly [id: string, name: string][] = [
  ["no-name", "d/.wh."],
  ["this-folder", "d/.wh.."],
  ["parent-folder", "d/.wh..."],
];

export const whiteoutChecks: readonly GraphDriverCheck[] = [
  ...rows.map(([id, title, ...layers]): GraphDriverCheck => ({
    id: `whiteout/${id}`,
    title,
    ...(layers.some(namesTwice) && { needs: diffsMadeAnew }),
    async run(context) {
      const replay = await context.newReplay();
      replay.apply(below);
      let top = await makeLayer(context, undefined, below);
      for (const entries of layers) {
        replay.apply(entries.filter(({ header }) => !header.name.toString().startsWith(".wh..wh.")));
        top = await makeLayer(context, top, entries);
        assertSameTree(await readLayer(context, top), replay.tree(), "layer");
      }
    },
  })),
  ...invalid.map(([id, name]): GraphDriverCheck => ({
    id: `whiteout/${id}`,
    title: `a whiteout called ${name} is refused`,
    source: "OCI image-spec v1.0 layer.md",
    async run(context) {
      const image = await makeLayer(context, undefined, below);
      const layer = await makeEmptyLayer(context, image);
      const expected = await readLayer(context, layer);
      await context.refused(applyEntries(context, layer, image, [file(name, "")]), "INVALID_ARGUMENT", layer);
      assertSameTree(await readLayer(context, layer), expected, "layer");
    },
  })),
];

function namesTwice(entries: readonly ArchiveEntry[]): boolean {
  return new Set(entries.map(({ header }) => header.name.toString())).size < entries.length;
}
