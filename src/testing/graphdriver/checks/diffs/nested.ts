import { deepEqual } from "node:assert/strict";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { expectedChanges } from "../../../tree/expected-changes.ts";
import { asArchived } from "../../../tree/tree.ts";
import type { TreeWriter } from "../../../tree/tree-writer.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { commitLayer, listChanges, makeContainer, readLayer } from "../../layers.ts";

const depths = [1, 2, 5, 9];
const deepest = 9;
/** "1/2/3". */
const pathOf = (depth: number): string => Array.from({ length: depth }, (_, at) => at + 1).join("/");

/** Makes the folders below `depth`, each with a file, and the last with one more. */
function grow(writer: TreeWriter, depth: number, content: string): void {
  for (let at = depth; at <= deepest; at++) {
    writer.makeFolder(pathOf(at));
    writer.write(`${pathOf(at)}/file`, `${content} ${at}`);
  }
  writer.write(`${pathOf(deepest)}/last`, content);
}

export const nestedChecks: readonly GraphDriverCheck[] = depths.map((depth) => ({
  id: `nested/cut-at-${depth}`,
  title: `folders in folders, cut off at depth ${depth} in one layer and grown again in the next`,
  source: "containers/storage v1.57 drivers/graphtest DriverTestEcho",
  async run(context) {
    const replay = await context.newReplay();
    const generations: readonly ((writer: TreeWriter) => void)[] = [
      (writer) => grow(writer, 1, "first"),
      (writer) => writer.remove(pathOf(depth)),
      (writer) => grow(writer, depth, "second"),
      (writer) => {
        writer.remove(pathOf(depth));
        grow(writer, depth, "third");
        writer.remove(`${pathOf(deepest)}/last`);
      },
    ];
    let top: string | undefined;
    for (const [generation, steps] of generations.entries()) {
      const before = replay.tree();
      const container = await makeContainer(context, top, steps);
      replay.write(steps);
      const changes = await listChanges(context, container, top);
      deepEqual(changes.toSorted(), expectedChanges(before, replay.tree()).toSorted());
      top = await commitLayer(context, container, top);
      assertSameTree(asArchived(await readLayer(context, top)), asArchived(replay.tree()), `generation ${generation}`);
    }
  },
}));
