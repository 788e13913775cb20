import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type JournalFiles, openJournalFiles } from "./journal-files.ts";
import { openJournal, type OpenedJournal } from "./journal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

const format = { name: "test", subject: "words", stored: z.string(), toStored: (word: string) => word };
const path = () => join(folder, "records");
const aheadBytes = 64 * 1024;

/** What the journal holds, and the journal, to go on with. */
async function open(prefilled: boolean): Promise<OpenedJournal<string> & { readonly words: readonly string[] }> {
  const words: string[] = [];
  const files: JournalFiles = await openJournalFiles(folder, { prefilled });
  const opened = await openJournal({
    files,
    format,
    begin: () => [],
    onChange: (word) => void words.push(word),
    mayHaveRoom: true,
  });
  return { ...opened, words };
}

async function append(prefilled: boolean, ...words: readonly string[]): Promise<readonly string[]> {
  const { journal, words: found } = await open(prefilled);
  for (const word of words) await journal.append([word]);
  await journal.close();
  return found;
}

/** Where the lines end, and zeros begin. */
async function endOfLines(): Promise<number> {
  return (await readFile(path())).findLastIndex((byte) => byte !== 0) + 1;
}

it("overwrites zeros, and grows by many lines at a time", async () => {
  const { journal } = await open(true);
  await journal.append(["one"]);
  const { size } = await stat(path());
  expect(size).toBeGreaterThan((await endOfLines()) + aheadBytes);
  for (let count = 0; count < 100; count++) await journal.append(["another"]);
  expect((await stat(path())).size).toBe(size);
  await journal.close();
  expect(await append(true)).toHaveLength(101);
});

it("is read whichever way it was written, and goes on either way", async () => {
  for (const [round, prefilled] of [true, false, false, true, true].entries()) {
    const expected = Array.from({ length: round }, (_, index) => `word ${index}`);
    expect(await append(prefilled, `word ${round}`)).toEqual(expected);
  }
  expect(await append(false)).toHaveLength(5);
});

it("keeps the room that it has when it is opened again", async () => {
  await append(true, "one");
  const { size, ino } = await stat(path());
  const { journal } = await open(true);
  expect(await stat(path())).toMatchObject({ size, ino });
  await journal.close();
});

/** What a power loss may leave of a line whose write was under way: each of its sectors, or zeros. */
const torn: Readonly<Record<string, (line: Buffer) => Buffer>> = {
  "its beginning": (line) => Buffer.concat([line.subarray(0, 512), Buffer.alloc(line.length - 512)]),
  "its end": (line) => Buffer.concat([Buffer.alloc(512), line.subarray(512)]),
  "all but its middle": (line) => Buffer.concat([line.subarray(0, 512), Buffer.alloc(512), line.subarray(1024)]),
  "all but its last byte": (line) => Buffer.concat([line.subarray(0, -1), Buffer.alloc(1)]),
};

it.each(Object.entries(torn))("takes no line for one of which a power loss has left %s", async (_, tear) => {
  await append(true, "one", "two");
  const from = await endOfLines();
  await append(true, "x".repeat(4_000));
  const [content, to] = [await readFile(path()), await endOfLines()];
  tear(content.subarray(from, to)).copy(content, from);
  await writeFile(path(), content);
  const { journal, words, tornBytes } = await open(true);
  expect(words).toEqual(["one", "two"]);
  expect(tornBytes).toBeGreaterThan(0);
  // Nothing of it is left that a shorter line would show behind it.
  expect((await readFile(path())).subarray(from).every((byte) => byte === 0)).toBe(true);
  await journal.append(["three"]);
  await journal.close();
  expect(await append(true)).toEqual(["one", "two", "three"]);
});

it("takes a line of which a power loss has left nothing for no torn one", async () => {
  await append(true, "one");
  const { journal, tornBytes } = await open(true);
  expect(tornBytes).toBe(0);
  await journal.close();
});

it("refuses a journal that has zeros before a line that was acknowledged", async () => {
  await append(true, "one", "two");
  const content = await readFile(path());
  content.fill(0, content.indexOf("\n") + 1, content.indexOf("\n") + 20);
  await writeFile(path(), content);
  await expect(open(true)).rejects.toMatchObject({ code: "DATA_LOSS" });
});

it("refuses a journal of which nothing but zeros is left", async () => {
  await append(true, "one");
  const zeros = (await readFile(path())).fill(0);
  await writeFile(path(), zeros);
  await expect(open(true)).rejects.toMatchObject({ code: "DATA_LOSS" });
  expect(zeros.equals(await readFile(path()))).toBe(true);
});

it("cuts off more zeros than a journal ever has", async () => {
  await append(true, "one");
  const end = await endOfLines();
  await truncate(path(), 4 * 1024 * 1024);
  const { journal } = await open(true);
  expect((await stat(path())).size).toBe(end);
  await journal.close();
});
