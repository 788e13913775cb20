/** What a layer takes of the disk, as its driver tells it. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { linkSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import type { LayerUsage } from "../../../../graphdriver/index.ts";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { makeContainer, makeEmptyLayer, makeLayer, visitLayer } from "../../layers.ts";
import { usages } from "../../needs.ts";
import { mountsBelow } from "../../opened-driver.ts";

const kibibyte = 1024;
const big = 1024 * kibibyte;
/** What blocks, and folders that grow, may take beside. */
const slack = 64 * kibibyte;

export const usageChecks: readonly GraphDriverCheck[] = [
  {
    id: "usage/written",
    title: "what a container writes counts as blocks: a file of three names once, a hole not at all",
    needs: usages,
    async run(context) {
      const id = await makeContainer(context, await makeLayer(context, undefined, [file("below", "x")]));
      const grown = await growthOf(context, id, (path) => {
        writeFileSync(`${path}/file`, randomBytes(big));
        linkSync(`${path}/file`, `${path}/second`);
        linkSync(`${path}/file`, `${path}/third`);
        writeFileSync(`${path}/sparse`, randomBytes(4 * kibibyte));
        truncateSync(`${path}/sparse`, 1024 * big);
        symlinkSync("file", `${path}/symlink`);
      });
      equal(grown.inodes, 3);
      assertBetween(grown.sizeBytes, big + 4 * kibibyte, big + 4 * kibibyte + slack);
    },
  },
  {
    id: "usage/changed",
    title: "a file of the image that a container writes to counts",
    needs: usages,
    async run(context) {
      const image = await makeLayer(context, undefined, [file("f", "small")]);
      const id = await makeContainer(context, image);
      const grown = await growthOf(context, id, (path) => writeFileSync(`${path}/f`, randomBytes(big)));
      assertBetween(grown.sizeBytes, big - slack, big + slack);
      assertBetween(grown.inodes, 0, 1);
    },
  },
  {
    id: "usage/deleted",
    title: "a deletion takes next to nothing",
    needs: usages,
    async run(context) {
      const image = await makeLayer(context, undefined, [file("f", randomBytes(big))]);
      const id = await makeContainer(context, image);
      const { inodes, sizeBytes } = await growthOf(context, id, (path) => unlinkSync(`${path}/f`));
      assertBetween(inodes, -1, 1);
      ok(sizeBytes <= slack, `${sizeBytes} bytes for a deletion`);
    },
  },
  {
    id: "usage/of-image",
    title: "a layer of an image counts what it brought",
    needs: usages,
    async run(context) {
      const base = await makeLayer(context, undefined, [file("f", randomBytes(big)), file("g", randomBytes(big))]);
      const { inodes, sizeBytes } = await usageOf(context, base);
      assertBetween(sizeBytes, 2 * big, 2 * big + slack);
      assertBetween(inodes, 2, 3); // the layer's own folder is one
    },
  },
  {
    id: "usage/empty",
    title: "an empty layer takes nothing beyond its parent, or is a whole copy of it",
    needs: usages,
    async run(context) {
      const base = await makeLayer(context, undefined, [file("f", randomBytes(big))]);
      const { sizeBytes } = await usageOf(context, await makeEmptyLayer(context, base));
      const isCopy = sizeBytes >= big && sizeBytes <= big + slack;
      ok(isCopy || sizeBytes <= slack, `${sizeBytes} bytes`);
      assertBetween((await usageOf(context, await makeEmptyLayer(context))).sizeBytes, 0, slack);
    },
  },
  {
    id: "usage/after-reopen",
    title: "a layer takes the same after a restart, and nothing is mounted to find out",
    needs: usages,
    async run(context) {
      const image = await makeLayer(context, undefined, [file("below", "x")]);
      const id = await makeContainer(context, image, (writer) => writer.write("f", randomBytes(big)));
      const before = await usageOf(context, id);
      await context.reopen();
      deepEqual(await usageOf(context, id), before);
      deepEqual(mountsBelow(context.home), []);
    },
  },
  {
    id: "usage/given-up",
    title: "counting that is given up ends with CANCELLED",
    needs: usages,
    async run(context) {
      const id = await makeEmptyLayer(context);
      const counting = context.driver.usage?.(id, { signal: AbortSignal.abort() }) ?? Promise.resolve();
      await context.refused(counting, "CANCELLED", id);
    },
  },
  {
    id: "usage/unknown",
    title: "a layer that does not exist takes nothing that could be told",
    needs: usages,
    run: (context) => context.refused(usageOf(context, "nobody"), "NOT_FOUND", "nobody"),
  },
];

async function usageOf({ driver }: GraphDriverContext, id: string): Promise<LayerUsage> {
  if (driver.usage === undefined) throw new Error("driver tells no usage");
  return driver.usage(id);
}

/** What a layer takes more once something was written to it. */
async function growthOf(context: GraphDriverContext, id: string, write: (path: string) => void): Promise<LayerUsage> {
  const before = await usageOf(context, id);
  await visitLayer(context, id, write);
  const after = await usageOf(context, id);
  return { sizeBytes: after.sizeBytes - before.sizeBytes, inodes: after.inodes - before.inodes };
}

function assertBetween(value: number, least: number, most: number): void {
  ok(value >= least && value <= most, `${value} is not between ${least} and ${most}`);
}
