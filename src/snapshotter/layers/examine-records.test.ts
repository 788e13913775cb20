import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import { examineRecords } from "./examine-records.ts";
import { markFileOf, recordsFolderOf } from "./records-place.ts";

let root: string;
let places: Places;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cleat-records-"));
  places = createPlaces();
});
afterEach(() => rmSync(root, { recursive: true }));

const open = () =>
  openSnapshotter({ root: recordsFolderOf(root), storage: createMemoryStorage(places), markFile: markFileOf(root) });
async function make(...keys: readonly string[]): Promise<void> {
  const snapshotter = await open();
  for (const key of keys) await snapshotter.prepare(key, {});
  await snapshotter.close();
}
/** With a layer that is none of a snapshot's. */
const examine = () => examineRecords(root, async () => [...[...places.made.keys()].map(String), "a layer"]);
const contentOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), "latin1")]);

it("nothing is wrong with records that could be opened, in use or not, nor where there are none", async () => {
  expect(await examine()).toBeUndefined();
  await make("one", "two");
  expect(await examine()).toBeUndefined();
  const serving = await open();
  await serving.prepare("three", {});
  expect(await examine()).toBeUndefined();
  await serving.close();
});

const records = () => join(recordsFolderOf(root), "records");
it.each([
  ["are older than the layers", () => void places.made.set(1_000, undefined), "a snapshot of number 1000 is there"],
  ["are older than the mark", () => writeFileSync(markFileOf(root), '{"version":1,"seq":99}'), "change 99 was"],
  ["are gone", () => rmSync(records()), "whose records are not"],
  ["are damaged", () => writeFileSync(records(), "x", { flag: "r+" }), "are damaged"],
  ["have a mark of a later version", () => writeFileSync(markFileOf(root), '{"version":2}'), "a later Cleat"],
])("records that %s are told as who opens them tells, and left as they are", async (_, spoil, problem) => {
  await make("one", "two");
  spoil();
  const before = contentOf(root);
  const trouble = await examine();
  expect(trouble).toMatchObject({ path: ".cleat/snapshots", problem: expect.stringContaining(problem) });
  expect(contentOf(root)).toEqual(before);
  await expect(open()).rejects.toThrow(problem);
});
