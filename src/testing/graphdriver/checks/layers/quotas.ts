import { deepEqual, equal, ok } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { isSystemError } from "../../../../errors/index.ts";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { makeContainer, makeLayer, readLayer, visitLayer } from "../../layers.ts";
import { enforcedSizes } from "../../needs.ts";

const megabyte = 2 ** 20;

export const quotaChecks: readonly GraphDriverCheck[] = [
  {
    id: "quota/enforced",
    title: "a container with a size cannot write more, and can go on with less",
    source: "moby v20.10.24 graphtest DriverTestSetQuota",
    needs: enforcedSizes,
    async run(context) {
      const { id } = await makeLimited(context, "8m");
      await visitLayer(context, id, (path) => {
        ok(writes(`${path}/small`, megabyte), "1 of 8 MiB cannot be written");
        ok(!writes(`${path}/large`, 12 * megabyte), "12 of 8 MiB were written");
      });
      equal((await readLayer(context, id)).get("small")?.sizeBytes, megabyte);
    },
  },
  {
    id: "quota/of-one",
    title: "a size is that of one container, not of its neighbours",
    needs: enforcedSizes,
    async run(context) {
      const { image } = await makeLimited(context, "8m");
      const free = await makeContainer(context, image);
      await visitLayer(context, free, (path) => ok(writes(`${path}/large`, 12 * megabyte), "a neighbour is limited"));
    },
  },
  {
    id: "quota/restart",
    title: "a size is enforced after close and open",
    needs: enforcedSizes,
    async run(context) {
      const { id } = await makeLimited(context, "8m");
      await context.reopen();
      await visitLayer(context, id, (path) => ok(!writes(`${path}/large`, 12 * megabyte), "12 of 8 MiB were written"));
    },
  },
  {
    id: "quota/refused",
    title: "a size that is none is refused, and no layer is made",
    needs: enforcedSizes,
    async run(context) {
      const { driver, newId, refused } = context;
      for (const size of ["", "0", "-1", "much", "1 2"]) {
        const id = newId();
        await refused(driver.createReadWrite(id, { storageOptions: { size } }), "INVALID_ARGUMENT", id);
        deepEqual(await driver.exists(id), false);
      }
    },
  },
];

async function makeLimited(context: GraphDriverContext, size: string) {
  const image = await makeLayer(context, undefined, [file("below", "b")]);
  const id = context.newId();
  await context.driver.createReadWrite(id, { parent: image, storageOptions: { size } });
  return { image, id };
}

/** EDQUOT, for which Node has no name, or ENOSPC: the quotas of a project are a disk of its own to those in it. */
const fullErrnos: readonly number[] = [-122, -28];

/** Whether all of it could be written, to the disk. */
function writes(path: string, sizeBytes: number): boolean {
  try {
    writeFileSync(path, Buffer.alloc(sizeBytes, "content"), { flush: true });
    return true;
  } catch (error) {
    if (isSystemError(error) && fullErrnos.includes(error.errno)) return false;
    throw error;
  }
}
