import { deepEqual } from "node:assert/strict";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { expectedChanges } from "../../../tree/expected-changes.ts";
import { asArchived } from "../../../tree/tree.ts";
import type { TreeWriter } from "../../../tree/tree-writer.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { commitLayer, listChanges, makeContainer, readLayer } from "../../layers.ts";

const generations = 10;

/** Makes, deletes and makes anew, in turns that differ, so that each generation covers and uncovers others. */
function live(writer: TreeWriter, generation: number): void {
  if (generation === 0) writer.makeFolder("shared");
  if (generation > 0) writer.remove(`folder-${generation - 1}`);
  writer.makeFolder(`folder-${generation}`);
  writer.write(`folder-${generation}/file`, `of ${generation}`);
  if (generation % 2 === 0) writer.write("shared/flips", `in ${generation}`);
  else writer.remove("shared/flips");
  if (generation % 3 === 2) {
    writer.remove("shared");
    writer.makeFolder("shared");
    if (generation % 2 === 0) writer.write("shared/flips", "in a new folder");
  }
  writer.write(`shared/of-${generation}`, "x".repeat(generation));
}

export const generationChecks: readonly GraphDriverCheck[] = [
  {
    id: "generations/commits",
    title: `${generations} generations of containers, each committed on the last, show and list what a flat one does`,
    source: "containerd v1.6.20 snapshots/testsuite checkFileFromLowerLayer, checkDeletedFilesInChildSnapshot",
    async run(context) {
      const replay = await context.newReplay();
      let top: string | undefined;
      for (let generation = 0; generation < generations; generation++) {
        const before = replay.tree();
        const container = await makeContainer(context, top, (writer) => live(writer, generation));
        replay.write((writer) => live(writer, generation));
        const changes = await listChanges(context, container, top);
        deepEqual(changes.toSorted(), expectedChanges(before, replay.tree()).toSorted());
        top = await commitLayer(context, container, top);
        assertSameTree(
          asArchived(await readLayer(context, top)),
          asArchived(replay.tree()),
          `generation ${generation}`,
        );
      }
    },
  },
];
