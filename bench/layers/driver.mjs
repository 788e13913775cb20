/**
 * A process with a driver of Cleat's, in process: does what its messages say, and answers how long that took, and how
 * much processor time. JavaScript, because it runs on the built package.
 *
 *     node driver.mjs HOME DURABILITY
 */
import { createReadStream } from "node:fs";
import { overlay2 } from "cleat/drivers";
import { forEachChunk } from "cleat/graphdriver";

const [home, durability] = process.argv.slice(2);
const driver = await overlay2.open({ home, durability });

const tasks = {
  create: ({ id }) => driver.create(id, {}),
  apply: ({ id, archive }) => driver.applyDiff(id, undefined, createReadStream(archive, { highWaterMark: 256 * 1024 })),
  diff: async ({ id }) => forEachChunk(await driver.diff(id, undefined), () => {}),
  async stream({ id }) {
    for await (const _ of await driver.diff(id, undefined));
  },
  remove: ({ id }) => driver.remove(id),
  close: () => driver.close(),
};

process.on("message", async (message) => {
  const [startMs, before] = [performance.now(), process.cpuUsage()];
  await tasks[message.task](message);
  const { user, system } = process.cpuUsage(before);
  process.send({ wallMs: performance.now() - startMs, processorMs: (user + system) / 1000 });
  if (message.task === "close") process.disconnect();
});
