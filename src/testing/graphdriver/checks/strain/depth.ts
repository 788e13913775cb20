import { deepEqual, equal } from "node:assert/strict";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";
import { maxDepthOf } from "../../needs.ts";

/** More than fit into one page of mount options, and than Docker itself stacks (125). */
const deep = 130;
/** A limit beyond this costs too much to be tried out. */
const triedOut = 600;

export const depthChecks: readonly GraphDriverCheck[] = [
  {
    id: "depth/deep",
    title: `${deep} layers on top of each other show the files of each`,
    source: "moby v20.10.24 graphtest DriverTestDeepLayerRead",
    needs: maxDepthOf(deep),
    async run(context) {
      let top: string | undefined;
      for (let at = 0; at < deep; at++)
        top = await makeLayer(context, top, [file("top", String(at)), file(`of-${at}`)]);
      const tree = await readLayer(context, await makeEmptyLayer(context, top));
      deepEqual(tree.get("top")?.sizeBytes, String(deep - 1).length);
      equal(tree.size, deep + 1);
    },
  },
  {
    id: "depth/limit",
    title: "the number of layers that a driver says can be stacked can be, and one more is refused",
    needs: ({ driver: { name, capabilities } }) =>
      capabilities.maxDepth <= triedOut ? undefined : `driver "${name}" knows no limit worth trying out`,
    async run(context) {
      const { driver, refused } = context;
      let top = await makeLayer(context, undefined, [file("bottom", "b")]);
      for (let at = 0; at < driver.capabilities.maxDepth; at++) top = await makeEmptyLayer(context, top);
      equal((await readLayer(context, top)).get("bottom")?.sizeBytes, 1);
      const tooDeep = context.newId();
      await refused(driver.create(tooDeep, { parent: top }), "OUT_OF_RANGE", tooDeep);
      equal(await driver.exists(tooDeep), false);
    },
  },
];
