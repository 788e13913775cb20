import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createStateFile } from "../index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("keeps, replaces and clears a value, and leaves nothing else", async () => {
  const path = join(folder, "state", "p.json");
  const state = createStateFile(path);
  expect(await state.load()).toBeUndefined();
  await state.clear();
  await state.save({ version: 1 });
  await state.save({ version: 1, home: "/x" });
  expect(await createStateFile(path).load()).toEqual({ version: 1, home: "/x" });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, "state"))).toEqual(["p.json"]);
  await state.clear();
  expect(await state.load()).toBeUndefined();
});

it("says which file is damaged", async () => {
  const path = join(folder, "p.json");
  await writeFile(path, '{"version":');
  await expect(createStateFile(path).load()).rejects.toMatchObject({
    code: "DATA_LOSS",
    message: expect.stringContaining(path),
  });
});
