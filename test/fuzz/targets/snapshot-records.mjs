/**
 * The journal of a snapshotter's records, damaged: refused and left as it is, or read, and then it takes a change and
 * keeps it.
 */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";

import { openRecords } from "#dist/snapshotter/records/records.js";

export const codes = ["DATA_LOSS", "FAILED_PRECONDITION"];
export const dictionary = [
  '"put":[',
  '"remove":[1]',
  '"nextId":',
  '"seq":',
  '"lines":',
  '"kind":"active"',
  '"parent":1',
  "\n",
  "null",
  "-1",
  "1e99",
];

const line = (value) => {
  const text = JSON.stringify(value);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
};
const header = { format: "cleat-snapshots", version: 1, seq: 1, lines: 1 };
export const seeds = [...(await writtenSeeds()), line(header) + line({ seq: 1, changes: [] })];

/** Checksums are set right, or nothing would be read but them. */
export function repair(input) {
  const lines = input.toString("latin1").split("\n");
  return Buffer.from(
    lines.map((text, at) => (at === lines.length - 1 || text.length < 9 ? text : fixed(text.slice(9)))).join("\n"),
    "latin1",
  );
}

const fixed = (text) => `${crc32(Buffer.from(text, "latin1")).toString(16).padStart(8, "0")} ${text}`;

export async function run(input) {
  const files = filesOf(input);
  let records;
  try {
    records = await openRecords(files);
  } catch (error) {
    assert.ok(files.content().equals(input), "what was refused was changed");
    throw error;
  }
  const before = records.all();
  await records.change({ put: [record(await records.takeId(), `new-${before.length}`)] });
  const after = records.all();
  await records.close();
  const reopened = await openRecords(files);
  assert.deepEqual(reopened.all(), after);
  await reopened.close();
}

function record(id, name) {
  return { id, name, kind: "active", parentId: undefined, labels: {}, createdNs: 1n, updatedNs: 1n, usage: undefined };
}

async function writtenSeeds() {
  const files = filesOf(Buffer.alloc(0));
  const records = await openRecords(files);
  for (const name of ["a", "b", "c"]) await records.change({ put: [record(await records.takeId(), name)] });
  await records.change({ remove: [1] });
  await records.close();
  return [files.content().toString("latin1")];
}

/** In memory. */
function filesOf(input) {
  const names = new Map([["records", { content: Buffer.from(input) }]]);
  return {
    content: () => names.get("records")?.content ?? Buffer.alloc(0),
    read: async (name) => names.get(name)?.content,
    async open(name, lengthBytes) {
      const file = names.get(name) ?? { content: Buffer.alloc(0) };
      names.set(name, file);
      const append = async (bytes) => void (file.content = Buffer.concat([file.content, bytes]));
      const truncate = async (length) => void (file.content = file.content.subarray(0, length));
      await truncate(lengthBytes);
      const nothing = async () => {};
      return { append, appendDurably: append, truncate, allocate: nothing, sync: nothing, close: nothing };
    },
    async rename(from, to) {
      names.set(to, names.get(from));
      names.delete(from);
    },
    remove: async (name) => void names.delete(name),
    syncFolder: async () => {},
    close: async () => {},
  };
}
