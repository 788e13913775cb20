import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type * as syscalls from "../../syscall/index.ts";
import { close } from "../../syscall/index.ts";
import { lockHome, ownFolder, prepareHome } from "./home.ts";

const beforeLocking = vi.hoisted(() => ({ run: (): void => {} }));
vi.mock("../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const lockFile = (descriptor: number): boolean => {
    beforeLocking.run();
    return original.lockFile(descriptor);
  };
  return { ...original, lockFile };
});

let home: string;
beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
});
afterEach(() => {
  beforeLocking.run = () => {};
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
