/**
 * The files of a store of state, damaged: refused and left as they are, or read as the lines say that are whole, by a
 * second reading of what `journal.ts` describes; and then it takes a change and keeps it. Behind `records.new: ` stands
 * what a crash left of a journal that was being written anew.
 */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { z } from "zod";

import { openStoreOver } from "#dist/state/store.js";
import { fixChecksums, memoryFiles } from "../memory-files.mjs";

export const repair = fixChecksums;
export const codes = ["DATA_LOSS", "FAILED_PRECONDITION"];
export const dictionary = [
  '"put":[["notes","a",1]]',
  '"delete":[["notes","a"]]',
  '["pools","b",{"taken":["x"]}]',
  '"schema":2',
  '"seq":',
  '"lines":',
  '"__proto__"',
  '{"a":',
  "[[[[",
  "]]]]",
  "\n",
  "\nrecords.new: ",
  "null",
  "-1",
  "1e99",
];

/** Its decoder throws, other than a schema. */
const url = z.codec(z.string(), z.instanceof(URL), { decode: (text) => new URL(text), encode: ({ href }) => href });
const tables = { notes: z.any(), pools: z.strictObject({ taken: z.array(z.string()) }), urls: url };
const options = { tables, version: 2, migrate: ({ value }) => value };
const staged = Buffer.from("\nrecords.new: ");

export const seeds = await writtenSeeds();

export async function run(input) {
  const at = input.indexOf(staged);
  const records = at < 0 ? input : input.subarray(0, at);
  const left = at < 0 ? [] : [["records.new", input.subarray(at + staged.length)]];
  const files = memoryFiles([["records", records], ...left]);
  let store;
  try {
    store = await openStoreOver(files, options);
  } catch (error) {
    assert.ok(files.content("records").equals(records), "what was refused was changed");
    throw error;
  }
  const expected = readAgain(records);
  assert.equal(store.tornBytes, expected.tornBytes);
  assert.deepEqual(contentOf(store), expected.content);
  await store.transact(({ notes }) => notes.put("new", { at: notes.size }));
  await store.transact(({ notes }) => notes.delete("a"));
  const after = contentOf(store);
  await store.close();
  assert.deepEqual(files.names(), ["records"], "what a crash left is there");
  const reopened = await openStoreOver(files, options);
  assert.deepEqual(contentOf(reopened), after);
  assert.equal(reopened.tornBytes, 0);
  await reopened.close();
}

const contentOf = ({ tables: { notes, pools, urls } }) => [
  [...notes.entries()],
  [...pools.entries()],
  [...urls.entries()],
];

/** Only what `openStore` takes comes here: every line is whole, but for the last. */
function readAgain(bytes) {
  const found = { notes: new Map(), pools: new Map(), urls: new Map() };
  let goodBytes = 0;
  for (const line of bytes.toString("latin1").split("\n").slice(0, -1)) {
    const text = Buffer.from(line.slice(9), "latin1");
    if (line.slice(0, 9) !== `${crc32(text).toString(16).padStart(8, "0")} `) break;
    const value = parsed(text);
    if (value === undefined) break;
    const { changes = [] } = value;
    for (const { put = [], delete: gone = [] } of changes) {
      for (const [table, key] of gone) found[table].delete(key);
      for (const [table, key, value] of put) found[table].set(key, value);
    }
    goodBytes += line.length + 1;
  }
  const urls = Array.from(found.urls, ([key, text]) => [key, new URL(text)]);
  return { content: [[...found.notes], [...found.pools], urls], tornBytes: bytes.length - goodBytes };
}

/** A last line that is no JSON is cut off, too. */
function parsed(text) {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}

async function writtenSeeds() {
  const written = async (version, ...works) => {
    const files = memoryFiles([]);
    const store = await openStoreOver(files, { tables, version });
    for (const work of works) await store.transact(work);
    await store.close();
    return files.content("records").toString("latin1");
  };
  const some = await written(
    2,
    ({ notes }) => notes.put("a", "1"),
    ({ notes, pools }) => (notes.put("b", [null, { c: 1 }]), pools.put("p", { taken: ["x"] })),
    ({ notes, urls }) => (notes.delete("a"), urls.put("u", new URL("http://a/"))),
  );
  const earlier = await written(1, ({ notes }) => notes.put("__proto__", { "": true }));
  const nested = await written(2, ({ notes }) => notes.put("deep", JSON.parse("[".repeat(900) + "]".repeat(900))));
  const tooNested = fixChecksums(nested.replace(/\[{900}/, "[".repeat(7000)).replace(/\]{900}/, "]".repeat(7000)));
  return ["", some, earlier, nested, tooNested.toString("latin1"), some.slice(0, -9), some + staged + earlier];
}
