/**
 * Folders that an archive does not announce, whiteouts and opaque markers, in whatever order they come: what the layer
 * shows, what `changes` says of it, and what its diff makes of a new layer are the same.
 */
import { deepEqual, equal } from "node:assert/strict";
import { close, O_DIRECTORY, O_RDONLY, openPath, statat } from "../../../../syscall/index.ts";
import { openFolder } from "../../../../layer/index.ts";
import { type ArchiveEntry, device, fifo, file, folder, hardLink, symlink, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { expectedChanges } from "../../../tree/expected-changes.ts";
import { asArchived, type Tree, withoutFolderTimes } from "../../../tree/tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { commitLayer, listChanges, makeLayer, readLayer, visitLayer } from "../../layers.ts";
import { hostRoot } from "../../needs.ts";

const below = [
  folder("d", { mode: 0o700 }),
  file("d/one", "1"),
  folder("d/sub", { mode: 0o711 }),
  file("d/sub/deep", "deep"),
  file("f", "f"),
  folder("g"),
  file("g/two", "2"),
];

const marker = (path: string): ArchiveEntry => file(path === "" ? ".wh..wh..opq" : `${path}/.wh..wh..opq`);

/** Each pair is tried in both orders: a whiteout speaks of the layers below wherever it stands. */
const pairs: readonly [id: string, title: string, some: readonly ArchiveEntry[], others: readonly ArchiveEntry[]][] = [
  ["hidden", "a folder that is hidden, and a file in it", [whiteout("d")], [file("d/new", "n")]],
  [
    "hidden-deeper",
    "a folder that is hidden, and files further down",
    [whiteout("d")],
    [file("d/sub/x/new", "n"), file("d/e/f", "")],
  ],
  [
    "hidden-below",
    "a folder in a folder that is hidden, and a file in it",
    [whiteout("d/sub")],
    [file("d/sub/new", "n")],
  ],
  [
    "hidden-twice",
    "a folder, one in it, and files in both",
    [whiteout("d"), whiteout("d/sub")],
    [file("d/a", "a"), file("d/sub/b", "b")],
  ],
  [
    "hidden-kinds",
    "a folder that is hidden, and a symlink, a FIFO and a hard link in it",
    [whiteout("d")],
    [symlink("d/l", "x"), fifo("d/p"), file("d/a", "a"), hardLink("d/h", "d/a")],
  ],
  [
    "hidden-announced",
    "a folder that is hidden, a folder in it, and a file in that",
    [whiteout("d")],
    [folder("d/sub", { mode: 0o750 }), file("d/sub/new", "n")],
  ],
  [
    "only-hidden",
    "a folder that is hidden, and names in it that are, too",
    [whiteout("d")],
    [whiteout("d/one"), whiteout("d/sub/deep")],
  ],
  ["hidden-opaque", "a folder that is hidden, and is opaque", [whiteout("d")], [marker("d")]],
  ["opaque", "an opaque folder, and files below it", [marker("d")], [file("d/new", "n"), file("d/sub/new", "n")]],
  [
    "opaque-whiteouts",
    "an opaque folder, and whiteouts in it",
    [marker("d")],
    [whiteout("d/one"), whiteout("d/sub/deep"), whiteout("d/x")],
  ],
  ["opaque-file", "an opaque folder where there was a file", [marker("f")], [file("f/new", "n")]],
  ["root", "an opaque root, and files", [marker("")], [file("new", "n"), file("f", "new")]],
  [
    "root-folders",
    "an opaque root, and files in folders, announced or not",
    [marker("")],
    [file("d/sub/new", "n"), folder("g"), file("g/new", "n")],
  ],
  [
    "root-whiteouts",
    "an opaque root, and whiteouts",
    [marker("")],
    [whiteout("f"), whiteout("d/one"), file("d/new", "n")],
  ],
  ["over-file", "a file in what the layer below has as a file", [], [file("f/new", "n"), file("f/x/y", "y")]],
  [
    "useless",
    "whiteouts in a folder that covers none",
    [folder("n"), file("n/a", "a")],
    [whiteout("n/x"), whiteout("n/m/x"), whiteout("nowhere/x")],
  ],
];

/** Their path is about as long as a path can be. */
const deep = 2000;

export const impliedFolderChecks: readonly GraphDriverCheck[] = [
  ...pairs.map(([id, title, some, others]): GraphDriverCheck => ({
    id: `implied/${id}`,
    title: `${title}, in either order`,
    run: (context) => assertLayers(context, [...some, ...others], [...others, ...some]),
  })),
  {
    id: "implied/device",
    title: "overlay's own form of a whiteout, and a file in the folder that it hides",
    needs: hostRoot,
    async run(context) {
      const hidden = device("character-device", "d", [0, 0]);
      await assertLayers(context, [hidden, file("d/new", "n")], [file("d/new", "n"), hidden]);
    },
  },
  {
    id: "implied/bottom",
    title: "whiteouts and markers in a layer that lies on none leave nothing",
    async run(context) {
      const layer = await makeLayer(context, undefined, [
        whiteout("x"),
        file("y", "y"),
        whiteout("d/x"),
        file("d/z", "z"),
        marker(""),
      ]);
      deepEqual([...(await readLayer(context, layer)).keys()].toSorted(), ["d", "d/z", "y"]);
    },
  },
  {
    id: "implied/symlink",
    title: "what comes below a symlink of the layer itself, which leads to a folder that only the layer below has",
    source: "containerd v2.1.9 pkg/archive/tar.go mkparent",
    async run(context) {
      const parent = await makeLayer(context, undefined, below);
      const entriesBelow = (path: string) => [
        symlink("s", "d/sub"),
        file(`${path}/new`, "n"),
        whiteout(`${path}/deep`),
      ];
      const replay = await context.newReplay();
      replay.apply(below);
      replay.apply(entriesBelow("d/sub"));
      const layer = await makeLayer(context, parent, entriesBelow("s"));
      assertSameTree(await readLayer(context, layer), replay.tree(), "layer");
    },
  },
  {
    id: "implied/deep",
    title: `an entry ${deep} folders deep, of which none is announced, is made before anybody loses patience`,
    async run(context) {
      for (const parent of [undefined, await makeLayer(context, undefined, below)]) {
        const layer = await makeLayer(context, parent, [file(`${"d/".repeat(deep)}f`, "deep")]);
        equal(await visitLayer(context, layer, (path) => sizeBelow(path, deep)), "deep".length);
      }
    },
  },
];

async function assertLayers(context: GraphDriverContext, ...archives: readonly ArchiveEntry[][]): Promise<void> {
  const parent = await makeLayer(context, undefined, below);
  const before = await readLayer(context, parent);
  for (const entries of archives) {
    const replay = await context.newReplay();
    replay.apply(below);
    replay.apply(entries);
    const layer = await makeLayer(context, parent, entries);
    const after = await readLayer(context, layer);
    assertSameTree(after, replay.tree(), "layer");
    const changes = await listChanges(context, layer, parent);
    deepEqual(changes.toSorted(), expectedChanges(before, after).toSorted(), "changes");
    const copy = await readLayer(context, await commitLayer(context, layer, parent));
    assertSameTree(plain(copy), plain(after), "the layer that its diff makes");
  }
}

const plain = (tree: Tree): Tree => withoutFolderTimes(asArchived(tree));

/** The size of the file `f` below so many folders `d`; their path is too long for any call. */
function sizeBelow(path: string, folders: number): number {
  let here = openPath(path, O_RDONLY | O_DIRECTORY);
  try {
    for (let at = 0; at < folders; at++) {
      const next = openFolder(here, "d");
      close(here);
      here = next;
    }
    return statat(here, "f").sizeBytes;
  } finally {
    close(here);
  }
}
