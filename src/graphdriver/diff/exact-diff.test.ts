import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { buildArchive, file } from "../../testing/index.ts";
import { close, O_DIRECTORY, O_RDONLY, openPath } from "../../syscall/index.ts";
import { createRing, createSyncRingReader, createSyncRingWriter, type Ring } from "../../workers/index.ts";
import { createAsyncRingReader } from "../../workers/streams/ring/async-ends.ts";
import { applyWithExactDiff, readExactDiff, sendExactDiff, stagedTreeOf } from "./exact-diff.ts";

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), "cleat-exact-diff-"));
  fs.mkdirSync(`${home}/tree`);
});
afterEach(() => fs.rmSync(home, { recursive: true }));

const archive = Buffer.concat([buildArchive([file("f", "content")]), Buffer.alloc(700, "garbage")]);

/** As on a worker, but that what is read is in the ring before. */
async function keep(staged?: string): Promise<void> {
  const ring = createRing();
  const writer = createSyncRingWriter(ring);
  writer.write(archive);
  writer.finish();
  const tree = openPath(`${home}/tree`, O_RDONLY | O_DIRECTORY);
  const options = {
    whiteouts: { kind: "delete" },
    ids: { uids: [], gids: [] },
    syncFiles: false,
    squash: true,
  } as const;
  const record = { parent: "below", ...(staged !== undefined && { staged }) };
  try {
    await applyWithExactDiff(createSyncRingReader(ring), tree, options, { folder: `${home}/exact`, ...record });
  } finally {
    close(tree);
  }
}

async function giveBack(): Promise<Buffer> {
  const ring = createRing();
  const place = { id: "l", tree: `${home}/tree`, folder: `${home}/exact` };
  const [bytes] = await Promise.all([readAll(ring), sendExactDiff(place, ring)]);
  return bytes;
}

async function readAll(ring: Ring): Promise<Buffer> {
  const reader = createAsyncRingReader(ring);
  const pieces: Uint8Array[] = [];
  for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read())
    pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces);
}

const changeRecord = (change: (text: string) => string): void =>
  fs.writeFileSync(`${home}/exact/record.json`, change(fs.readFileSync(`${home}/exact/record.json`, "utf8")));

describe("what is kept of an archive", () => {
  it("says on which layer it was applied, and gives it back", async () => {
    await keep();
    expect(readExactDiff(home, "exact")).toEqual({
      version: 1,
      parent: "below",
      archiveBytes: archive.length,
      staged: null,
    });
    expect((await giveBack()).equals(archive)).toBe(true);
  });

  it("means nothing while its tree is staged", async () => {
    fs.mkdirSync(`${home}/staged`);
    await keep("staged");
    expect(readExactDiff(home, "exact")).toBeUndefined();
    expect(stagedTreeOf(home, "exact")).toBe("staged");
    fs.rmdirSync(`${home}/staged`);
    expect(readExactDiff(home, "exact")).toMatchObject({ parent: "below", staged: "staged" });
    expect(stagedTreeOf(home, "exact")).toBeUndefined();
  });

  it("is nothing where nothing was kept", () => {
    expect(readExactDiff(home, "exact")).toBeUndefined();
    expect(stagedTreeOf(home, "exact")).toBeUndefined();
  });

  it.each([
    ["a later version", (text: string) => text.replace('"version":1', '"version":2'), "version"],
    ["no length", (text: string) => text.replace(/"archiveBytes":\d+,/, ""), "archiveBytes"],
    ["half a record", (text: string) => text.slice(0, -3), "record.json"],
    ["nothing in it", () => "", "record.json"],
  ])("is refused with %s, and waits for nothing", async (_, change, named) => {
    await keep();
    changeRecord(change);
    expect(() => readExactDiff(home, "exact")).toThrow(expect.objectContaining({ code: "DATA_LOSS" }));
    expect(() => readExactDiff(home, "exact")).toThrow(named);
    expect(stagedTreeOf(home, "exact")).toBeUndefined();
  });

  it("is a loss where the data or the tree are gone, or are of another archive", async () => {
    await keep();
    changeRecord((text) => text.replace(`${archive.length}`, `${archive.length + 1}`));
    await expect(giveBack()).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringMatching(/^layer "l": .*bytes/),
    });
    changeRecord((text) => text.replace(`${archive.length + 1}`, `${archive.length}`));
    fs.renameSync(`${home}/tree`, `${home}/elsewhere`);
    await expect(giveBack()).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringContaining("not whole"),
    });
    fs.renameSync(`${home}/elsewhere`, `${home}/tree`);
    fs.rmSync(`${home}/exact/tar-split.json.gz`);
    await expect(giveBack()).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringContaining("not whole"),
    });
  });

  it.each([
    ["a FIFO", (path: string) => execFileSync("mkfifo", [path])],
    ["a folder", (path: string) => fs.mkdirSync(path)],
  ])("is a loss where %s has the name of the data", async (_, make) => {
    await keep();
    fs.rmSync(`${home}/exact/tar-split.json.gz`);
    make(`${home}/exact/tar-split.json.gz`);
    await expect(giveBack()).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringContaining("is not a file"),
    });
  });

  it("is no loss where the layer was removed meanwhile", async () => {
    await keep();
    fs.rmSync(`${home}/exact`, { recursive: true });
    await expect(giveBack()).rejects.toMatchObject({ code: "ABORTED", message: expect.stringContaining('layer "l"') });
  });
});
