import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../transport/index.ts";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";

let folder: string;
let places: Places;
let journal: string;
let markFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-older-"));
  places = createPlaces();
  journal = join(folder, "records", "records");
  markFile = join(folder, "mark.json");
});
afterEach(() => rm(folder, { recursive: true }));

const open = (logger = silentLogger) =>
  openSnapshotter({ root: join(folder, "records"), storage: createMemoryStorage(places), markFile, logger });

async function prepare(snapshotter: Snapshotter, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) await snapshotter.prepare(`k${number}`, {});
}

/** A copy of the records that was made while snapshots were, and the snapshotter after twenty more. */
async function copyMidway(): Promise<{ readonly copy: Buffer; readonly snapshotter: Snapshotter }> {
  const snapshotter = await open();
  await prepare(snapshotter, 1, 3);
  const copy = await readFile(journal);
  await prepare(snapshotter, 4, 23);
  return { copy, snapshotter };
}

const olderError = { code: "DATA_LOSS", message: expect.stringContaining("older than the snapshots") as string };

it("records from a backup of a running server are refused, and no snapshot is deleted", async () => {
  const { copy, snapshotter } = await copyMidway();
  await snapshotter.close();
  const newer = await readFile(journal);
  await writeFile(journal, copy);
  for (let times = 0; times < 2; times++) await expect(open()).rejects.toMatchObject(olderError);
  expect(await readFile(journal)).toEqual(copy);
  expect(places.made.size).toBe(23);
  await writeFile(journal, newer);
  const again = await open();
  await again.cleanup();
  expect(places.made.size).toBe(23);
  await again.close();
});

it("so are those that only miss what became of a snapshot", async () => {
  const { snapshotter } = await copyMidway();
  const copy = await readFile(journal);
  await snapshotter.commit("layer", "k1", {});
  await snapshotter.close();
  await writeFile(journal, copy);
  await expect(open()).rejects.toMatchObject(olderError);
});

it("they are taken once the mark is removed, as the message says", async () => {
  const { copy, snapshotter } = await copyMidway();
  await snapshotter.close();
  await writeFile(journal, copy);
  await expect(open()).rejects.toThrow(`remove "${markFile}"`);
  await rm(markFile);
  const again = await open();
  await again.cleanup();
  expect(places.made.size).toBe(3);
  await again.close();
});

it("a root of before, which has no mark, is opened, and has one from then on", async () => {
  const before = await openSnapshotter({ root: join(folder, "records"), storage: createMemoryStorage(places) });
  await prepare(before, 1, 3);
  const older = await readFile(journal);
  await before.close();
  await (await open()).close();
  const earlierCleat = await openSnapshotter({ root: join(folder, "records"), storage: createMemoryStorage(places) });
  await prepare(earlierCleat, 4, 6);
  await earlierCleat.close();
  await (await open()).close();
  await writeFile(journal, older);
  await expect(open()).rejects.toMatchObject(olderError);
});

it("a root whose snapshots and records were removed begins anew", async () => {
  const { snapshotter } = await copyMidway();
  await snapshotter.close();
  await rm(join(folder, "records"), { recursive: true });
  places = createPlaces();
  const anew = await open();
  await prepare(anew, 1, 1);
  await anew.close();
  await (await open()).close();
});

it.each([
  ["empty", ""],
  ["torn", '{"version":1,"se'],
])("a mark that is %s refuses nothing, and is written anew", async (_, text) => {
  const { copy, snapshotter } = await copyMidway();
  await snapshotter.close();
  await writeFile(markFile, text);
  await (await open()).close();
  await writeFile(journal, copy);
  await expect(open()).rejects.toMatchObject(olderError);
});

it("a mark of a later version is not guessed at", async () => {
  await (await open()).close();
  await writeFile(markFile, '{"version":2}\n');
  await expect(open()).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
});
