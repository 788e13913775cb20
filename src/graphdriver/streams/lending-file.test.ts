import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs, {
  closeSync,
  constants,
  createReadStream,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { lendingFile } from "./lending-file.ts";
import { digestOf, openJobs, patternOf } from "./lent-bodies.test.support.ts";

const { O_NONBLOCK, O_RDWR } = constants;
const folder = mkdtempSync(join(tmpdir(), "cleat-lent-file-"));
const path = join(folder, "archive");
const content = patternOf(3_000_000);
writeFileSync(path, content);
const jobs = openJobs();
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("an archive's file", () => {
  it("is read by the thread, and closed after it", async () => {
    const stream = createReadStream(path);
    const closed = new Promise<void>((resolve) => void stream.once("close", () => resolve()));
    expect(await jobs.hash(lendingFile(stream)!)).toBe(digestOf(content));
    expect(stream.bytesRead).toBe(0);
    await closed;
  });

  it("may be an open one, from wherever its stream begins", async () => {
    await using file = await open(path);
    const stream = file.createReadStream({ start: 1_000_001, autoClose: false });
    expect(await jobs.hash(lendingFile(stream)!)).toBe(digestOf(content.subarray(1_000_001)));
    expect(stream.bytesRead).toBe(0);
  });

  it("that cannot be opened fails as its stream does", async () => {
    const missing = lendingFile(createReadStream(join(folder, "missing")))!;
    await expect(jobs.hash(missing)).rejects.toMatchObject({ code: "ENOENT" });
    const directory = lendingFile(createReadStream(folder))!;
    await expect(jobs.hash(directory)).rejects.toMatchObject({ code: "EISDIR" });
  });

  it("that cannot even be looked at fails as its stream does", async () => {
    symlinkSync("loop", join(folder, "loop"));
    const loop = lendingFile(createReadStream(join(folder, "loop")))!;
    await expect(jobs.hash(loop)).rejects.toMatchObject({ code: "ELOOP" });
    const long = lendingFile(createReadStream(join(folder, "n".repeat(300))))!;
    await expect(jobs.hash(long)).rejects.toMatchObject({ code: "ENAMETOOLONG" });
  });

  it("that somebody has begun to read goes on as it was", async () => {
    const stream = createReadStream(path, { highWaterMark: 1000 });
    const first = await new Promise<Buffer>((resolve) => {
      stream.once("readable", () => resolve(stream.read() as Buffer));
    });
    expect(await jobs.hash(lendingFile(stream)!)).toBe(digestOf(content.subarray(first.length)));
  });
});

it.each([
  ["no file's", () => Readable.from([content])],
  ["the beginning of a file", () => createReadStream(path, { end: 99 })],
  ["read by functions of its maker's", () => createReadStream(path, { fs: { ...fs } })],
])("a stream that is %s is lent by nobody", (_, make) => {
  const stream = make().on("error", () => {});
  expect(lendingFile(stream)).toBeUndefined();
  stream.destroy();
});

it("a pipe is no file, whether anybody writes to it or not", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const stream = createReadStream(pipe);
  const opened = once(stream, "open");
  expect(await lendingFile(stream)!.isFile!()).toBe(false);
  const both = openSync(pipe, O_RDWR | O_NONBLOCK); // ends the wait for somebody who writes
  await opened;
  stream.destroy();
  closeSync(both);
});
