import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type * as fileSystem from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type * as syscalls from "../../../syscall/index.ts";
import { close } from "../../../syscall/index.ts";
import { lockHome, ownFolder, prepareHome, sweep } from "./home.ts";

const beforeLocking = vi.hoisted(() => ({ run: (): void => {} }));
vi.mock("../../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const lockFile = (descriptor: number): boolean => {
    beforeLocking.run();
    return original.lockFile(descriptor);
  };
  return { ...original, lockFile };
});

const room = vi.hoisted(() => ({ bavail: 2 ** 30, ffree: 2 ** 20 }));
vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof fileSystem>();
  return { ...original, statfsSync: (path: string) => ({ ...original.statfsSync(path), files: 2 ** 20, ...room }) };
});

let home: string;
beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
});
afterEach(() => {
  beforeLocking.run = () => {};
  Object.assign(room, { bavail: 2 ** 30, ffree: 2 ** 20 });
  rmSync(home, { recursive: true });
});

it("locks a home once at a time", () => {
  const lock = lockHome(home);
  expect(() => lockHome(home)).toThrow("is being served");
  close(lock);
  close(lockHome(home));
});

it("takes no lock whose file went before it was had", () => {
  beforeLocking.run = () => rmSync(join(home, ownFolder, "lock"), { force: true });
  expect(() => lockHome(home)).toThrow("is being served");
  beforeLocking.run = () => {};
  close(lockHome(home));
});

const inHome = (path: string): string => join(home, ownFolder, path);

function leaveBehind(): void {
  for (const place of ["staging", "trash"]) {
    mkdirSync(inHome(`${place}/left/deep`), { recursive: true });
    writeFileSync(inHome(`${place}/left/deep/file`), "");
  }
}

it("takes what is staged into the trash, whatever is below, and deletes nothing", () => {
  leaveBehind();
  sweep(home);
  expect(readdirSync(inHome("staging"))).toEqual([]);
  const trashed = readdirSync(inHome("trash"));
  expect(trashed).toHaveLength(2);
  for (const name of trashed) expect(existsSync(inHome(`trash/${name}/deep/file`))).toBe(true);
});

it.each([{ bavail: 1000 }, { ffree: 10 }])("deletes it at once where hardly anything is free: %o", (left) => {
  leaveBehind();
  Object.assign(room, left);
  sweep(home);
  for (const place of ["staging", "trash"]) expect(readdirSync(inHome(place))).toEqual([]);
});
