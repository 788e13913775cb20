import { mkdir, rm, writeFile } from "node:fs/promises";
import { vfs } from "cleat/drivers";
import { createScratch } from "../test/harness/scratch.ts";
import { median, type Measurement, timeMs } from "./measure.ts";

const folders = 300;
const filesEach = 100;
const fileBytes = 10_000;

/**
 * `changes` of a copy of 30,000 files in which nobody changed any: with what the driver wrote down when it copied them, which
 * saves it from reading, and without, as for a copy of Docker's own; the median of `rounds`. Files are in the kernel's memory.
 */
export async function measureNaiveChanges(rounds: number): Promise<readonly Measurement[]> {
  await using scratch = await createScratch();
  const home = `${scratch.path}/home`;
  const driver = await vfs.open({ home, durability: "none" });
  try {
    await driver.create("base", {});
    const root = await driver.get("base", {});
    for (let folder = 0; folder < folders; folder++) {
      await mkdir(`${root}/${folder}`);
      for (let file = 0; file < filesEach; file++) await writeFile(`${root}/${folder}/${file}`, "x".repeat(fileBytes));
    }
    await driver.create("copy", { parent: "base" });
    const measure = async (): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) times.push(await timeMs(() => driver.changes("copy", "base")));
      return median(times.slice(1));
    };
    const known = await measure();
    await rm(`${home}/.cleat/layers/copy`);
    const reference = { name: "reads them all", value: await measure() };
    return [
      { name: "changes of 30,000 untouched files", unit: "ms", cleat: known, reference, limit: { maxRatio: 0.7 } },
    ];
  } finally {
    await driver.close();
  }
}
