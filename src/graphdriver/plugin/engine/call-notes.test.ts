import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../../transport/index.ts";
import { type CallNotes, createCallNotes } from "./call-notes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-notes-"));
});
const opened: CallNotes[] = [];
afterEach(() => {
  for (const notes of opened.splice(0)) notes.close();
  rmSync(folder, { recursive: true });
});

const open = (): CallNotes => {
  const notes = createCallNotes(folder, silentLogger);
  opened.push(notes);
  return notes;
};
const found = (): readonly string[] =>
  open()
    .readAll()
    .map(({ id }) => id);

it("are found by the next process until they are removed, ids of any length", () => {
  const notes = open();
  const long = "a".repeat(128);
  const [first, second] = [notes.write(long), notes.write("b")];
  notes.write("c");
  expect(found()).toEqual([long, "b", "c"]);
  notes.remove(first);
  notes.remove(second);
  notes.write("short");
  expect(found()).toEqual(["short", "c"]);
});

it("take no more room than there were calls at once", () => {
  const notes = open();
  for (let call = 0; call < 1000; call++) notes.remove(notes.write("a"));
  expect(readFileSync(join(folder, "in-flight")).length).toBeLessThanOrEqual(256);
});

it("that were read anew are not removed by whoever had one of them before", () => {
  const notes = open();
  const before = notes.write("a");
  for (const note of notes.readAll()) notes.remove(note);
  notes.write("b");
  notes.remove(before);
  expect(found()).toEqual(["b"]);
});

it("are passed over where they are damaged", () => {
  const notes = open();
  notes.write("../a");
  notes.write("b");
  expect(found()).toEqual(["b"]);
});

it("of an earlier version, a file for each call, are taken over once", () => {
  for (const name of ["1.a", "12.a", "3.b.c", "x.d", "4...", "note"]) writeFileSync(join(folder, name), "");
  open().write("e");
  const notes = open();
  const all = notes.readAll();
  expect(all.map(({ id }) => id)).toEqual(["e", "a", "a", "b.c"]);
  expect(readdirSync(folder).toSorted()).toEqual(["4...", "in-flight", "note", "x.d"]);
  for (const note of all.slice(0, 3)) notes.remove(note);
  expect(found()).toEqual(["b.c"]);
});

it("of an earlier version stay as long as they cannot be written down anew", () => {
  writeFileSync(join(folder, "1.a"), "");
  symlinkSync("none/in-flight", join(folder, "in-flight"));
  const notes = open();
  for (const note of notes.readAll()) notes.remove(note);
  expect(found()).toEqual(["a"]);
  rmSync(join(folder, "in-flight"));
  expect([found(), found()]).toEqual([["a"], ["a"]]);
  expect(readdirSync(folder)).toEqual(["in-flight"]);
});
