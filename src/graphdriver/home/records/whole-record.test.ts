import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type * as syscalls from "../../../syscall/index.ts";
import { prepareHome } from "../folders/home.ts";
import { hasStayedWhole, recordWhole, wholeRecordFile } from "./whole-record.ts";

/** The machine's own are added to: it may have an older kernel, and a home on a disk that is not its own. */
const machine = vi.hoisted(() => ({ boot: "b", mount: 7n, isKnown: true, fileSystem: "xfs" }));
vi.mock("../../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const readMountedFile = (file: number) => {
    const { inode } = original.fstat(file);
    return machine.isKnown ? { mount: machine.mount, inode, birthSeconds: 1n, birthNanoseconds: 2 } : undefined;
  };
  return { ...original, readMountedFile, fileSystemName: () => machine.fileSystem, bootId: () => machine.boot };
});

let home: string;
const path = () => join(home, wholeRecordFile);
beforeEach(() => {
  Object.assign(machine, { boot: "b", mount: 7n, isKnown: true, fileSystem: "xfs" });
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
});
afterEach(() => rmSync(home, { recursive: true }));

it("is believed on the same boot and mount, as often as it is asked", () => {
  expect(hasStayedWhole(home)).toBe(false);
  recordWhole(home);
  expect(hasStayedWhole(home)).toBe(true);
  expect(hasStayedWhole(home)).toBe(true);
});

it.each([
  ["the machine was booted", () => (machine.boot = "c")],
  ["the boot is not shown", () => (machine.boot = "")],
  ["it was mounted anew", () => (machine.mount = 8n)],
  ["the kernel does not tell mounts apart", () => (machine.isKnown = false)],
  ["the record is gone", () => rmSync(path())],
  ["nothing of the record came to the disk", () => writeFileSync(path(), "")],
  ["zeros did", () => writeFileSync(path(), Buffer.alloc(readFileSync(path()).length))],
  ["a part did", () => writeFileSync(path(), readFileSync(path()).subarray(0, -1))],
  [
    "the record is a copy",
    () => {
      copyFileSync(path(), `${path()}.copy`);
      renameSync(`${path()}.copy`, path());
    },
  ],
  [
    "a folder has its name",
    () => {
      rmSync(path());
      mkdirSync(path());
    },
  ],
])("is not believed when %s, until it is written anew", (_when, happen) => {
  recordWhole(home);
  expect(hasStayedWhole(home)).toBe(true);
  happen();
  expect(hasStayedWhole(home)).toBe(false);
  Object.assign(machine, { boot: "d", isKnown: true });
  rmSync(path(), { recursive: true, force: true });
  recordWhole(home);
  expect(hasStayedWhole(home)).toBe(true);
});

it("is not made where the boot or the mount is not known, or files are kept by another machine", () => {
  for (const unsure of [{ boot: "" }, { isKnown: false }, { fileSystem: "nfs" }]) {
    Object.assign(machine, { boot: "b", isKnown: true, fileSystem: "xfs" }, unsure);
    recordWhole(home);
    expect(hasStayedWhole(home)).toBe(false);
  }
  Object.assign(machine, { boot: "b", isKnown: true, fileSystem: "xfs" });
  expect(existsSync(path()) && readFileSync(path(), "utf8") !== "").toBe(false);
});
