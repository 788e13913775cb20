import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { close } from "../syscall/index.ts";
import { driverRecordFile, recordUse } from "../graphdriver/home/records/driver-record.ts";
import { lockHome, ownFolder, prepareHome } from "../graphdriver/home/folders/home.ts";
import { withLock } from "./with-lock.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-"));
});
afterEach(() => rmSync(home, { recursive: true }));

it("leaves no trace in a store that was never Cleat's, also when the work fails", async () => {
  expect(await withLock(home, async () => existsSync(join(home, ownFolder, "lock")))).toBe(true);
  await expect(withLock(home, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(readdirSync(home)).toEqual([]);
});

it("tells of the work's failure also where the lock's trace cannot be removed", async () => {
  const work = async () => {
    rmSync(join(home, ownFolder), { recursive: true });
    throw new Error("broken");
  };
  await expect(withLock(home, work)).rejects.toMatchObject({
    message: expect.stringMatching(/^broken; .*ENOENT/),
    cause: { errors: [{ message: "broken" }, { code: "ENOENT" }] },
  });
});

it("leaves alone what was there before, what a driver has recorded, and who has the lock", async () => {
  await withLock(home, async () => recordUse(home, { driver: "vfs" }));
  expect(existsSync(join(home, driverRecordFile))).toBe(true);
  const lock = lockHome(home);
  await expect(withLock(home, async () => {})).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  close(lock);
  expect(existsSync(join(home, driverRecordFile))).toBe(true);
});

it("keeps drivers out while it works", async () => {
  let seen: string | undefined;
  await withLock(home, async () => {
    prepareHome(home, 0);
    writeFileSync(join(home, ownFolder, "staging", "left"), "");
    try {
      lockHome(home);
    } catch (error) {
      seen = String(error);
    }
  });
  expect(seen).toContain("is being served");
  expect(readdirSync(home)).toEqual([]);
});
