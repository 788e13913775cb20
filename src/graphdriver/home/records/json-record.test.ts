import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { readJsonRecord } from "./json-record.ts";

const schema = z.object({ version: z.literal(1) });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("reads what fits the schema, and nothing where nothing is", () => {
  writeFileSync(join(folder, "record"), '{"version":1}');
  expect(readJsonRecord(join(folder, "record"), schema, "record")).toEqual({ version: 1 });
  expect(readJsonRecord(join(folder, "none"), schema, "record")).toBeUndefined();
  expect(readJsonRecord(join(folder, "record/below"), schema, "record")).toBeUndefined();
});

it.each([
  ["", /^record .*: it is empty, or is no file of text$/],
  ["{", /^record .*: it is no JSON$/],
  ['{"version":2}', /^record .*: version: /],
])("refuses %j", (text, message) => {
  writeFileSync(join(folder, "record"), text);
  const refused = expect.objectContaining({ code: "DATA_LOSS", message: expect.stringMatching(message) });
  expect(() => readJsonRecord(join(folder, "record"), schema, "record")).toThrow(refused);
});

it.each([
  ["a FIFO, and waits for nobody who would write into it", (path: string) => execFileSync("mkfifo", [path])],
  ["a folder", (path: string) => mkdirSync(path)],
  ["a symlink to itself", (path: string) => symlinkSync("record", path)],
  ["a large file", (path: string) => writeFileSync(path, Buffer.alloc(2 ** 20 + 1, " "))],
])("refuses %s", (_, make) => {
  make(join(folder, "record"));
  const refused = expect.objectContaining({ code: "DATA_LOSS" });
  expect(() => readJsonRecord(join(folder, "record"), schema, "record")).toThrow(refused);
});

it("refuses a socket", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "record"), resolve));
  try {
    const refused = expect.objectContaining({ code: "DATA_LOSS" });
    expect(() => readJsonRecord(join(folder, "record"), schema, "record")).toThrow(refused);
  } finally {
    server.close();
  }
});
