import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { SystemError } from "../errors/index.ts";
import { createSimulatedDisk, losses, PowerLoss, type SimulatedDisk } from "./journal/simulated-disk.test.support.ts";
import { openStore } from "./index.ts";
import { openStoreOver, type Store } from "./store.ts";

const pool = z.strictObject({ subnet: z.string(), taken: z.array(z.string()) });
const tables = { pools: pool, notes: z.string() };

let folder: string;
beforeEach(async () => void (folder = join(await mkdtemp(join(tmpdir(), "cleat-state-")), "deep/state")));
afterEach(() => rm(join(folder, "../.."), { recursive: true }));

describe("a store", () => {
  it("has what was put into it, also when it is opened again", async () => {
    const store = await openStore({ folder, tables });
    await store.tables.pools.put("a", { subnet: "10.0.0.0/8", taken: [] });
    await store.tables.notes.put("__proto__", "kept");
    await store.tables.notes.put("gone", "x");
    await store.tables.notes.delete("gone");
    await store.tables.notes.delete("never there");
    await store.close();
    await store.close();
    await using again = await openStore({ folder, tables });
    expect([...again.tables.pools.entries()]).toEqual([["a", { subnet: "10.0.0.0/8", taken: [] }]]);
    expect([...again.tables.notes.entries()]).toEqual([["__proto__", "kept"]]);
    expect(again.tables.notes.size).toBe(1);
    expect(again.tornBytes).toBe(0);
  });

  it("tells on one line of a table, or a format, that nobody here knows, whatever its name holds", async () => {
    const store = await openStore({ folder, tables: { "my\nnotes": z.string() } });
    await store.tables["my\nnotes"].put("a", "");
    await store.close();
    const code = "FAILED_PRECONDITION";
    await expect(openStore({ folder, tables })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(String.raw`table "my\nnotes"`),
    });
    const [first = "", ...lines] = (await readFile(`${folder}/records`, "utf8")).split("\n");
    const text = first.slice(9).replace("cleat-state", String.raw`cleat\nstate`);
    await writeFile(`${folder}/records`, [`${crc32(text).toString(16).padStart(8, "0")} ${text}`, ...lines].join("\n"));
    await expect(openStore({ folder, tables })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(String.raw`format "cleat\nstate"`),
    });
  });

  it("that is moved is written where it is, and never into another that stands in its place", async () => {
    const store = await openStore({ folder, tables });
    await store.tables.notes.put("mine", "");
    const moved = `${folder}-moved`;
    await rename(folder, moved);
    const other = await openStore({ folder, tables });
    await other.tables.notes.put("theirs", "");
    await other.close();
    const whole = await readFile(`${folder}/records`);
    // More than once as long as it takes to be written anew.
    for (let at = 0; at < 30; at++) await store.tables.notes.put("mine", String(at).repeat(50_000));
    expect((await stat(`${moved}/records`)).size).toBeLessThan(1_500_000);
    await store.close();
    expect((await readFile(`${folder}/records`)).equals(whole)).toBe(true);
    expect(await readdir(folder)).toEqual(await readdir(moved));
    await using again = await openStore({ folder: moved, tables });
    expect(again.tables.notes.get("mine")).toBe("29".repeat(50_000));
  });

  it("that is closed, or could not be opened, holds nothing open", async () => {
    const held = () => readdirSync("/proc/self/fd").filter((fd) => isBelow(`/proc/self/fd/${fd}`)).length;
    const isBelow = (link: string) => existsSync(link) && readlinkSync(link).startsWith(folder);
    await using store = await openStore({ folder, tables });
    expect(held()).toBeGreaterThan(0);
    const most = held();
    await expect(openStore({ folder, tables })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(held()).toBe(most);
    await store.close();
    expect(held()).toBe(0);
    await writeFile(`${folder}/records`, "damaged\nfrom the beginning\n");
    await expect(openStore({ folder, tables })).rejects.toMatchObject({ code: "DATA_LOSS" });
    expect(held()).toBe(0);
  });

  it("is its owner's alone: folder 0700, files 0600", async () => {
    await using store = await openStore({ folder, tables });
    await store.tables.notes.put("password", "hunter2");
    const modes = await Promise.all([folder, `${folder}/records`, `${folder}/lock`].map((path) => stat(path)));
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(["700", "600", "600"]);
  });

  it("is one process's, and one store's, at a time", async () => {
    await using first = await openStore({ folder, tables });
    expect(first.tornBytes).toBe(0);
    await expect(openStore({ folder, tables })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: `records of "${folder}" are served by another process`,
    });
  });

  it("hands out what nobody can change by the way", async () => {
    await using store = await openStore({ folder, tables });
    const value = { subnet: "s", taken: ["x"] };
    await store.tables.pools.put("a", value);
    value.taken.push("y");
    expect(store.tables.pools.get("a")).toEqual({ subnet: "s", taken: ["x"] });
    expect(() => store.tables.pools.get("a")?.taken.push("y")).toThrow(TypeError);
  });

  it("refuses what does not fit, and never shows it", async () => {
    await using store = await openStore({ folder, tables });
    const refused = store.tables.pools.put("a", { subnet: 5 as never, taken: ["secret"] });
    await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringMatching(/subnet/) });
    await expect(refused).rejects.not.toThrow(/secret/);
    expect(store.tables.pools.get("a")).toBeUndefined();
    await store.close();
    await expect(store.tables.notes.put("a", "b")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  });

  it("refuses what is nested too deep to be read again, and goes on", async () => {
    const schemas = { notes: z.any(), json: z.json() };
    await using store = await openStore({ folder, tables: schemas });
    for (const depth of [1_001, 20_000]) {
      await expect(store.tables.notes.put("a", nested(depth))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(store.tables.json.put("a", nested(depth) as never)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
    await store.tables.notes.put("a", nested(1_000));
    await store.close();
    await using again = await openStore({ folder, tables: schemas });
    expect(again.tables.notes.get("a")).toEqual(nested(1_000));
  });

  it("tells of its folder and the code, where that cannot be opened", async () => {
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFile(folder, "");
    await expect(openStore({ folder, tables })).rejects.toMatchObject({
      name: "CleatError",
      message: expect.stringContaining(`records of "${folder}" cannot be opened: `),
    });
  });

  it("keeps what its schema encodes", async () => {
    const at = z.codec(z.string(), z.date(), { encode: (d) => d.toISOString(), decode: (t) => new Date(t) });
    const schemas = { times: z.strictObject({ at, note: z.string().default("none") }) };
    const store = await openStore({ folder, tables: schemas });
    await store.tables.times.put("a", { at: new Date(0), note: "x" });
    await store.close();
    expect(await readFile(`${folder}/records`, "utf8")).toContain("1970-01-01T00:00:00.000Z");
    await using again = await openStore({ folder, tables: schemas });
    expect(again.tables.times.get("a")).toEqual({ at: new Date(0), note: "x" });
  });
});

describe("a transaction", () => {
  it("sees its own changes, and is made whole or not at all", async () => {
    await using store = await openStore({ folder, tables });
    await store.tables.notes.put("a", "1");
    const result = await store.transact(({ notes, pools }) => {
      notes.put("b", "2");
      notes.delete("a");
      pools.put("p", { subnet: "s", taken: [] });
      return [notes.get("a"), notes.get("b"), notes.size, [...notes.entries()]];
    });
    expect(result).toEqual([undefined, "2", 1, [["b", "2"]]]);
    const failing = store.transact(({ notes }) => {
      notes.put("c", "3");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await expect(store.transact(async ({ notes }) => notes.put("d", "4"))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect([...store.tables.notes.entries()]).toEqual([["b", "2"]]);
  });
});

describe("versions", () => {
  it("bring old records along, all or none", async () => {
    const old = await openStore({ folder, tables: { notes: z.string() } });
    await old.tables.notes.put("a", "1");
    await old.tables.notes.put("b", "drop");
    await old.close();
    const schemas = { notes: z.strictObject({ text: z.string() }) };
    await expect(openStore({ folder, tables: schemas })).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringMatching(/^record "a" of table "notes" does not fit its schema/),
    });
    const migrate = ({ value }: { value: unknown }) => (value === "drop" ? undefined : { text: value });
    const store = await openStore({ folder, tables: schemas, version: 2, migrate });
    expect([...store.tables.notes.entries()]).toEqual([["a", { text: "1" }]]);
    await store.close();
    const never = () => expect.unreachable();
    const again = await openStore({ folder, tables: schemas, version: 2, migrate: never });
    expect(again.tables.notes.get("a")).toEqual({ text: "1" });
    await again.close();
    await expect(openStore({ folder, tables: schemas })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: "records are of version 2, and this program knows none above 1",
    });
  });

  it("know no tables but their own", async () => {
    const old = await openStore({ folder, tables });
    await old.tables.notes.put("a", "1");
    await old.close();
    const opening = openStore({ folder, tables: { pools: pool } });
    await expect(opening).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(/table "notes"/),
    });
  });
});

describe("damage", () => {
  it("is what a record is called whose nesting, or whose codec, keeps it from being read", async () => {
    const text = z.codec(z.string(), z.string(), { encode: (kept) => kept, decode: () => expect.unreachable() });
    const store = await openStore({ folder, tables: { notes: z.any() } });
    await store.tables.notes.put("a\nb", "[]");
    await store.close();
    const refused = { code: "DATA_LOSS", message: expect.not.stringContaining("\n") };
    await expect(openStore({ folder, tables: { notes: text } })).rejects.toMatchObject(refused);
    const [head = "", change = "", last = ""] = (await readFile(`${folder}/records`, "utf8")).split("\n");
    const deep = last.slice(9).replace('"[]"', "[".repeat(9_000) + "]".repeat(9_000));
    const lines = [head, change, `${crc32(deep).toString(16).padStart(8, "0")} ${deep}`, ""].join("\n");
    await writeFile(`${folder}/records`, lines);
    await expect(openStore({ folder, tables: { notes: z.any() } })).rejects.toMatchObject(refused);
  });

  it("or not, what is refused is left as it is, with its torn end", async () => {
    const store = await openStore({ folder, tables, version: 2 });
    await store.tables.notes.put("a", "1");
    await store.close();
    const torn = `${await readFile(`${folder}/records`, "utf8")}0123`;
    await writeFile(`${folder}/records`, torn);
    await writeFile(`${folder}/records.new`, "");
    await expect(openStore({ folder, tables })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(await readFile(`${folder}/records`, "utf8")).toBe(torn);
    expect((await readdir(folder)).toSorted()).toEqual(["lock", "records", "records.new"]);
  });

  it("of what was acknowledged is refused, and the file left as it is; a torn end is cut off", async () => {
    const store = await openStore({ folder, tables });
    for (const key of ["a", "b", "c"]) await store.tables.notes.put(key, key);
    await store.close();
    const file = `${folder}/records`;
    const whole = await readFile(file);
    const flipped = Buffer.from(whole);
    flipped[whole.indexOf('"b"')] = 0x27;
    await writeFile(file, flipped);
    await expect(openStore({ folder, tables })).rejects.toMatchObject({ code: "DATA_LOSS" });
    expect(await readFile(file)).toEqual(flipped);
    await writeFile(file, whole.subarray(0, -5));
    await using again = await openStore({ folder, tables });
    expect([...again.tables.notes.entries()].map(([key]) => key)).toEqual(["a", "b"]);
    expect(again.tornBytes).toBeGreaterThan(0);
  });

  it("is refused where all of it has become zeros, and left as it is", async () => {
    const store = await openStore({ folder, tables });
    await store.tables.notes.put("a", "1");
    await store.close();
    const file = `${folder}/records`;
    const zeros = Buffer.alloc((await readFile(file)).length);
    await writeFile(file, zeros);
    await expect(openStore({ folder, tables })).rejects.toMatchObject({ code: "DATA_LOSS" });
    expect(await readFile(file)).toEqual(zeros);
  });

  it("tells of a last change that has become zeros", async () => {
    const store = await openStore({ folder, tables });
    await store.tables.notes.put("a", "1");
    const file = `${folder}/records`;
    const { length } = await readFile(file);
    await store.tables.notes.put("b", "2");
    await store.close();
    const content = await readFile(file);
    await writeFile(file, content.fill(0, length));
    await using again = await openStore({ folder, tables });
    expect(again.tornBytes).toBe(content.length - length);
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < depth; at++) value = [value];
  return value;
}

/** Each is acknowledged before the next; the long ones make the file be written anew. */
const long = "x".repeat(400_000);
const story: readonly ((store: Store<typeof tables>) => Promise<unknown>)[] = [
  ({ tables: { notes } }) => notes.put("a", "1"),
  ({ tables: { notes } }) => notes.put("l", long),
  (store) => store.transact(({ notes, pools }) => (notes.delete("a"), pools.put("p", { subnet: "s", taken: [] }))),
  ({ tables: { notes } }) => notes.put("l", `${long}y`),
  ({ tables: { notes } }) => notes.put("l", `${long}z`),
  ({ tables: { notes } }) => notes.put("b", "2"),
  ({ tables: { notes } }) => Promise.all([notes.put("c", "3"), notes.put("d", "4")]),
];
const contentOf = ({ tables: { notes, pools } }: Store<typeof tables>) =>
  JSON.stringify([[...notes.entries()].map(([key, value]) => [key, value.at(-1)]), [...pools.entries()]]);

async function tell(disk: SimulatedDisk): Promise<string[]> {
  const contents = ["[[],[]]"];
  try {
    const store = await openStoreOver(disk, { tables });
    for (const step of story) {
      await step(store);
      contents.push(contentOf(store));
    }
    await store.close();
  } catch (error) {
    if (!(error instanceof PowerLoss) && !String(error).includes("cannot be written any more")) throw error;
  }
  return contents;
}

describe("power loss", () => {
  it.each(losses)("at any step of the disk, where %s, leaves all that was acknowledged, whole", async (loss) => {
    const whole = createSimulatedDisk();
    const expected = await tell(whole);
    expect(whole.steps).toBeGreaterThan(25);
    for (let failAt = 1; failAt <= whole.steps; failAt++) {
      const disk = createSimulatedDisk();
      disk.failAt = failAt;
      const acknowledged = (await tell(disk)).length - 1;
      const store = await openStoreOver(disk.reboot(loss), { tables });
      const possible = [expected[acknowledged], expected[acknowledged + 1]];
      expect(possible, `at step ${failAt}, ${acknowledged} acknowledged`).toContain(contentOf(store));
      await store.tables.notes.put("new", "n");
      await store.close();
    }
  });

  it("a full disk is said, and nothing is kept of what it refused", async () => {
    const disk = createSimulatedDisk();
    const store = await openStoreOver(disk, { tables });
    disk.refuseAt = disk.steps + 1;
    await expect(store.tables.notes.put("a", "1")).rejects.toThrow(/ENOSPC/);
    expect(store.tables.notes.get("a")).toBeUndefined();
    await store.tables.notes.put("b", "2");
    await store.close();
    const again = await openStoreOver(disk.reboot("all is lost"), { tables });
    expect([...again.tables.notes.entries()]).toEqual([["b", "2"]]);
  });
});

it("a full disk keeps what is deleted, and has room for more when there is some", async () => {
  const disk = createSimulatedDisk();
  const store = await openStoreOver(disk, { tables });
  const { notes } = store.tables;
  for (let index = 0; index < 100; index++) await notes.put(`${index}`, "x".repeat(100));
  disk.roomBytes = 0;
  await expect(fillUp(notes)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  for (let index = 0; index < 100; index++) await notes.delete(`${index}`);
  await expect(notes.put("more", "x")).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  disk.roomBytes = Infinity;
  await notes.put("more", "x");
  const kept = [...notes.entries()];
  await store.close();
  const again = await openStoreOver(disk.reboot("all is lost"), { tables });
  expect([...again.tables.notes.entries()]).toEqual(kept);
  expect(again.tables.notes.get("0")).toBeUndefined();
});

async function fillUp(notes: { put(key: string, value: string): Promise<void> }): Promise<void> {
  for (let index = 100; index < 10_000; index++) await notes.put(`${index}`, "x".repeat(100));
}

it.each([
  ["a rename may be done and fail", async () => {}],
  ["so may the closing of the file after it", () => Promise.reject(new SystemError(constants.errno.EIO, "close"))],
])("acknowledges nothing in a file that may have lost its name: %s", async (_, close) => {
  const disk = createSimulatedDisk();
  const openOnDisk = disk.open.bind(disk);
  disk.open = async (...opening) => ({ ...(await openOnDisk(...opening)), close });
  const store = await openStoreOver(disk, { tables });
  const renameOnDisk = disk.rename.bind(disk);
  disk.rename = async (from, to) => {
    await renameOnDisk(from, to);
    throw new SystemError(constants.errno.EIO, "rename");
  };
  let acknowledged = "";
  for (let index = 10; index < 50; index++) {
    const value = `${index}`.repeat(50_000);
    await store.tables.notes.put("a", value).then(
      () => (acknowledged = value),
      () => {},
    );
  }
  await store.close().catch(() => {});
  const again = await openStoreOver(disk.reboot("nothing is lost"), { tables });
  expect(again.tables.notes.get("a")?.slice(0, 2)).toBe(acknowledged.slice(0, 2));
});

it("many changes at once share their flushes", async () => {
  const disk = createSimulatedDisk();
  const store = await openStoreOver(disk, { tables });
  const before = disk.steps;
  await Promise.all(Array.from({ length: 1000 }, (_, index) => store.tables.notes.put(`${index}`, "x")));
  expect(disk.steps - before).toBeLessThan(8);
});
