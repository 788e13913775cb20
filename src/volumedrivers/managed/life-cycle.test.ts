/** How volumes come and go when callers do not wait, with a backend that mounts nothing. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { openManagedVolumes, textOption } from "../index.ts";

function createGate() {
  let pass = () => {};
  const passed = new Promise<void>((resolve) => (pass = resolve));
  return { passed, pass };
}

it("what is made from another volume is made to its end when the engine gives up, and left only before", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-volumes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [copying, queued, goOn] = [createGate(), createGate(), createGate()];
  const told: string[] = [];
  const driver = await openManagedVolumes({
    name: "test",
    folder,
    options: { from: textOption().optional() },
    async create({ name, options: { from } }, { withVolume }) {
      if (from === undefined) return;
      if (name === "late") queued.pass();
      await withVolume(from, async () => {
        copying.pass();
        await goOn.passed;
        told.push(`made ${name}`);
      });
    },
    mount: async ({ name, folder: own }) => (told.push(`mount ${name}`), own),
    remove: async ({ name }) => void told.push(`remove ${name}`),
  });
  onTestFinished(() => driver.close());
  await driver.create("source");
  const engine = new AbortController();
  const create = (name: string) => driver.create(name, { options: { from: "source" } }, { signal: engine.signal });
  const copy = create("copy");
  await copying.passed;
  const late = create("late");
  await queued.passed;
  const others = [driver.remove("copy"), driver.mount("source", "c")];
  engine.abort();
  await Promise.all([copy, late].map((given) => expect(given).rejects.toMatchObject({ code: "CANCELLED" })));
  await vi.waitUntil(() => told.length > 0);
  expect(told).toEqual(["remove late"]);
  goOn.pass();
  await Promise.all(others);
  expect(told.slice(0, 2)).toEqual(["remove late", "made copy"]);
  expect(told.slice(2).toSorted()).toEqual(["mount source", "remove copy"]);
  expect((await driver.list()).map(({ name }) => name)).toEqual(["source"]);
});
