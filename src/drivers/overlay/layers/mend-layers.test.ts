import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SystemError } from "../../../errors/index.ts";
import { ensureCleanFolder, prepareHome } from "../../../graphdriver/kit.ts";
import { createLayer } from "./create-layer.ts";
import { mendLayers } from "./mend-layers.ts";

/** The file that a failing disk does not give, and how often. */
const refusal = vi.hoisted(() => ({ path: "", times: Infinity }));
vi.mock("../../../graphdriver/home/records/read-if-there.ts", async (importOriginal) => {
  const original = await importOriginal<{ readIfThere(path: string): string | undefined }>();
  const readIfThere = (path: string) => {
    if (path === refusal.path && refusal.times-- > 0) throw new SystemError(constants.errno.EIO, "open", path);
    return original.readIfThere(path);
  };
  return { ...original, readIfThere };
});

let home: string;

const chain = [
  { id: "1", parent: undefined },
  { id: "2", parent: "1" },
  { id: "3", parent: "2" },
] as const;
const owner = { rootUid: process.geteuid?.() ?? 0, rootGid: process.getegid?.() ?? 0 };
const read = () => chain.flatMap(({ id }) => ["link", "lower"].map((name) => readIfThere(`${home}/${id}/${name}`)));

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "none";
  }
}

beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "mend-")), 0);
  ensureCleanFolder(`${home}/l`, 0o700);
  for (const layer of chain) createLayer(home, { ...layer, ...owner, durable: true, mendable: true, maxDepth: 128 });
});
afterEach(() => rmSync(home, { recursive: true }));

it("leaves layers alone that are whole", () => {
  const before = read();
  expect(mendLayers(home, chain).mended).toEqual([]);
  expect(read()).toEqual(before);
});

it.each([
  ["link", ["1"]],
  ["link", ["2", "3"]],
  ["lower", ["3"]],
  ["lower", ["2", "3"]],
])("brings back the %s of layers %j, which are empty, or full of zeros", (name, ids) => {
  const before = read();
  for (const spoil of [truncateSync, (path: string) => writeFileSync(path, Buffer.alloc(26))]) {
    for (const id of ids) spoil(`${home}/${id}/${name}`);
    expect(mendLayers(home, chain).mended).toEqual(ids);
    expect(read()).toEqual(before);
  }
});

it.each([
  ["within the name of a layer", 20],
  ["between two layers", 28],
  ["behind the colon of one", 29],
])("brings back a list of layers that the disk has cut off %s", (_, sizeBytes) => {
  const before = read();
  truncateSync(`${home}/3/lower`, sizeBytes);
  expect(mendLayers(home, chain).mended).toEqual(["3"]);
  expect(read()).toEqual(before);
});

it("takes no link for a layer's own that leads to another", () => {
  const before = read();
  writeFileSync(`${home}/3/link`, readFileSync(`${home}/2/link`));
  expect(mendLayers(home, chain).mended).toEqual(["3"]);
  expect(read()).toEqual(before);
});

it("lays no layer on another that lies on none, and makes none that is not there", () => {
  rmSync(`${home}/2/lower`);
  expect(mendLayers(home, [...chain, { id: "4", parent: "3" }]).mended).toEqual([]);
  expect(readIfThere(`${home}/2/lower`)).toBe("none");
  expect(readIfThere(`${home}/4/link`)).toBe("none");
});

it.each(["link", "lower"])("leaves a layer alone whose %s cannot be read now, and mends the others", (name) => {
  const before = read();
  truncateSync(`${home}/3/link`);
  refusal.path = `${home}/2/${name}`;
  const { mended, unread } = mendLayers(home, chain);
  expect([mended, [...unread.keys()]]).toEqual([["3"], ["2"]]);
  refusal.path = "";
  expect(read()).toEqual(before);
  expect(mendLayers(home, chain)).toEqual({ mended: [], unread: new Map() });
});

it.each([
  ["empty", 0],
  ["cut off between two layers", 28],
])("takes the list of a layer that could not be looked at, and is %s, for no other's", (_, sizeBytes) => {
  const deeper = { id: "4", parent: "3" };
  createLayer(home, { ...deeper, ...owner, durable: true, mendable: true, maxDepth: 128 });
  const layers = [...chain, deeper];
  const lowerOf = (id: string) => readFileSync(`${home}/${id}/lower`, "utf8");
  const before = ["3", "4"].map(lowerOf);
  truncateSync(`${home}/3/lower`, sizeBytes);
  truncateSync(`${home}/4/lower`);
  Object.assign(refusal, { path: `${home}/3/link`, times: 1 });
  const { mended, unread } = mendLayers(home, layers);
  expect([mended, [...unread.keys()]]).toEqual([[], ["3", "4"]]);
  expect(lowerOf("4")).toBe("");
  Object.assign(refusal, { path: "", times: Infinity });
  expect(mendLayers(home, layers).mended).toEqual(["3", "4"]);
  expect(["3", "4"].map(lowerOf)).toEqual(before);
});
