import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { builtInFactories } from "../../selection/registry.ts";
import { openStore } from "../../layerstore/open-store.ts";
import { recognizeHome } from "./recognize-home.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-"));
});
afterEach(() => rmSync(home, { recursive: true }));

it.each([
  ["l", "overlay2"],
  ["subvolumes", "btrfs"],
  ["dir", "vfs"],
])("knows a store by its folder %s", (folder, driver) => {
  expect(recognizeHome(home)).toBe(undefined);
  mkdirSync(join(home, folder));
  expect(recognizeHome(home)).toBe(driver);
});

it("believes what a driver wrote down more than the layout", () => {
  mkdirSync(join(home, "l"));
  mkdirSync(join(home, ".cleat"));
  writeFileSync(join(home, ".cleat/driver.json"), '{"version":1,"driver":"fuse-overlayfs"}');
  expect(recognizeHome(home)).toBe("fuse-overlayfs");
  writeFileSync(join(home, ".cleat/driver.json"), '{"version":2,"driver":7}');
  expect(recognizeHome(home)).toBe("overlay2");
});

it("takes no symlink for a folder, and nothing that is not there for a store", () => {
  symlinkSync("/etc", join(home, "l"));
  expect(recognizeHome(home)).toBe(undefined);
  expect(recognizeHome(join(home, "gone"))).toBe(undefined);
  writeFileSync(join(home, "file"), "");
  expect(recognizeHome(join(home, "file"))).toBe(undefined);
});

it.each(["l", "dir", "mnt"])("takes no folder of volumes for a store, of which one is called %s", (name) => {
  mkdirSync(join(home, name, "_data"), { recursive: true });
  expect(recognizeHome(home)).toBe(undefined);
});

it.each<[folder: string, entry: string, driver: string | undefined]>([
  ["dir", "f9dc51bb19afab13".repeat(4), "vfs"],
  ["dir", `${"f9dc51bb19afab13".repeat(4)}-init`, "vfs"],
  ["subvolumes", "0n8dpsuibmw0u9kbxkjmtwqf1", "btrfs"],
  ["l", "HGNDIXLW5Q7R3I5WQ5HBSPO63O", "overlay2"],
  ["dir", "photos", undefined],
  ["subvolumes", "home", undefined],
  ["l", "x", undefined],
])("takes a folder %s for a store's by what is in it: %s", (folder, entry, driver) => {
  mkdirSync(join(home, folder, entry), { recursive: true });
  expect(recognizeHome(home)).toBe(driver);
});

it("opens no store as another driver's than was written down", () => {
  mkdirSync(join(home, ".cleat"));
  writeFileSync(join(home, ".cleat/driver.json"), '{"version":1,"driver":"overlay2"}');
  const open = (driver: string) => openStore({ home, drivers: builtInFactories, driver });
  expect(() => open("vfs")).toThrow("holds layers of overlay2, not of vfs");
  expect(open("overlay2").driver).toBe("overlay2");
});
