import { equal } from "node:assert/strict";
import * as fs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertSameTree } from "../../tree/assert-same-tree.ts";
import { createTreeWriter, type TreeWriter } from "../../tree/tree-writer.ts";
import { readTree } from "../../tree/read-tree.ts";
import { createReplay } from "../../tree/replay.ts";
import { withoutFolderTimes } from "../../tree/tree.ts";
import type { SnapshotterCheck } from "../check.ts";
import type { SnapshotterContext } from "../context.ts";
import { needsMounts } from "../needs.ts";

type Step = (writer: TreeWriter) => void;

/** Layer upon layer, each by its steps: every view is what the same steps make of a plain folder. */
async function compareWithFolder({ newLayer, viewed }: SnapshotterContext, layers: readonly Step[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cleat-replay-"));
  try {
    const replay = createReplay(folder);
    let parent: string | undefined;
    for (const [index, steps] of layers.entries()) {
      parent = await newLayer(parent, (path) => steps(createTreeWriter(path)));
      replay.write(steps);
      const seen = await viewed(parent, (path) => withoutFolderTimes(readTree(path), new Set()));
      assertSameTree(seen, replay.tree(), `layer ${index}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const base: Step = (writer) => {
  for (const folder of ["d", "d/deep", "e"]) writer.makeFolder(folder);
  for (const file of ["a", "b", "d/x", "d/y", "d/deep/z", "e/q"]) writer.write(file, file);
  writer.symlink("d/x", "link");
  writer.write("pair", "of names"); // which overlay would part when one is changed
  writer.link("pair", "e/pair");
  writer.makeFifo("fifo");
  writer.makeDevice("null", "character", [1, 3]);
};

/** [id, what the second and further layers do] */
const stacks: readonly (readonly [id: string, title: string, layers: readonly Step[]])[] = [
  [
    "stack/deletions",
    "what a snapshot deletes is gone in those above, and in no other",
    [
      (writer) => ["a", "d/x", "link", "fifo", "null"].forEach((name) => writer.remove(name)),
      (writer) => writer.remove("d/deep"),
      (writer) => writer.write("a", "again"),
    ],
  ],
  [
    "stack/opaque",
    "a folder that was deleted and made anew holds nothing of the one before",
    [
      (writer) => {
        writer.remove("d");
        writer.makeFolder("d", 0o700);
        writer.write("d/new", "new");
      },
      (writer) => writer.write("d/x", "x again"),
      (writer) => {
        writer.remove("d");
        writer.makeFolder("d");
        writer.makeFolder("d/deep");
      },
    ],
  ],
  [
    "stack/kinds",
    "a file takes the place of a folder, and a folder that of a file",
    [
      (writer) => {
        writer.remove("d");
        writer.write("d", "a file now");
        writer.remove("a");
        writer.makeFolder("a");
        writer.write("a/x", "x");
      },
      (writer) => {
        writer.remove("d");
        writer.makeFolder("d");
        writer.remove("a");
        writer.symlink("b", "a");
      },
    ],
  ],
  [
    "stack/moves",
    "files and folders are moved, also those of snapshots below",
    [
      (writer) => {
        writer.rename("a", "moved");
        writer.rename("d", "elsewhere");
      },
      (writer) => writer.rename("elsewhere/deep", "deep"),
    ],
  ],
  [
    "stack/attributes",
    "modes, owners and times are changed without the content",
    [
      (writer) => {
        writer.chmod("a", 0o4711);
        writer.chown("d/x", 1000, 2000);
        writer.touch("b");
        writer.chmod("d", 0o2770);
      },
      (writer) => writer.chown("d", 3000, 3000),
    ],
  ],
];

export const stackChecks: readonly SnapshotterCheck[] = [
  ...stacks.map(([id, title, layers]): SnapshotterCheck => ({
    id,
    title,
    needs: needsMounts,
    run: (context) => compareWithFolder(context, [base, ...layers]),
  })),
  {
    id: "stack/128",
    title: "128 layers are mounted, each with its file",
    source: "containerd v1.6.20 snapshots/testsuite/testsuite.go, check128LayersMount",
    needs: needsMounts,
    async run({ snapshotter, newName, newLayer, within }) {
      let parent: string | undefined;
      const layers = 127;
      for (let layer = 0; layer < layers; layer++) {
        parent = await newLayer(parent, (path) => {
          fs.writeFileSync(`${path}/${layer}`, String(layer));
          fs.writeFileSync(`${path}/last`, String(layer));
        });
      }
      await within(await snapshotter.prepare(newName(), { parent }), (path) => {
        equal(fs.readdirSync(path).length, layers + 1);
        equal(fs.readFileSync(`${path}/last`, "utf8"), String(layers - 1));
        fs.writeFileSync(`${path}/0`, "written");
      });
    },
  },
];
