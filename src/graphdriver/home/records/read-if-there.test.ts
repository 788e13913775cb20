import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type * as fileSystem from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withFolderAt } from "../../../layer/index.ts";
import { readRecord } from "../../inspect/store-entries.ts";
import { readIfThere } from "./read-if-there.ts";

/** A disk that gives a file's first page only: who asks for more gets that, and the error with the next call. */
const disk = vi.hoisted(() => ({ goodBytes: Infinity, failure: undefined as Error | undefined }));
vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof fileSystem>();
  const readSync = (file: number, buffer: Buffer, offset: number, length: number, position: number) => {
    const good = Math.min(length, disk.goodBytes - position);
    if (good <= 0 && disk.failure !== undefined) throw disk.failure;
    return original.readSync(file, buffer, offset, Math.max(good, 0), position);
  };
  return { ...original, readSync };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-"));
});
afterEach(() => {
  Object.assign(disk, { goodBytes: Infinity, failure: undefined });
  rmSync(folder, { recursive: true });
});

const lower = Array.from({ length: 300 }, (_, at) => `l/${String(at).padStart(26, "A")}`).join(":");
const readers: [string, () => string | undefined][] = [
  ["a driver", () => readIfThere(join(folder, "lower"))],
  ["who looks into the store", () => withFolderAt(folder, (opened) => readRecord(opened, "lower"))],
];

it.each(readers)(
  "half a record is not taken for a whole one by %s, where the disk fails behind its first page",
  (_, read) => {
    writeFileSync(join(folder, "lower"), lower);
    expect(read()).toBe(lower);
    disk.goodBytes = 4096;
    disk.failure = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", errno: -5, syscall: "read" });
    expect(read).toThrow(/EIO/);
  },
);

it.each(readers)("a record that becomes shorter is read to its end by %s", (_, read) => {
  writeFileSync(join(folder, "lower"), lower);
  disk.goodBytes = 4096;
  expect(read()).toBe(lower.slice(0, 4096));
});
