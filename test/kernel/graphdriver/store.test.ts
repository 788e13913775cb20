/**
 * `cleat fsck` and `cleat layers` on stores that real drivers made: every kind of damage is found, mended, not found
 * again, and the driver works with the store. Each scenario runs in a process and a mount namespace of its own, on the
 * built package.
 */
import { join } from "node:path";
import { test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "./private-mounts.ts";

const ofEach = [
  { id: "damageIsMended", title: "every kind of damage is found, mended, and not found again" },
  { id: "crashIsMended", title: "what a killed process left is mended" },
  { id: "servedStore", title: "a store that is served is looked at and not touched" },
] as const;

/** What a driver's own findings decide; the rest is asked of another driver than overlay2 at night. */
const ofOthers = byDayOrNight(ofEach.slice(0, 1), ofEach);

const ofMounts = [
  { id: "mountsInUse", title: "mounts of layers that are whole stay, here and in other namespaces" },
  { id: "mountOfLostLayer", title: "a mount of a layer that is lost goes once it is not in use" },
  { id: "orphansByConsent", title: "orphans go by consent, not while they are mounted or the engine runs" },
] as const;

describeWith([needs.root, needs.overlay], "overlay2", () => {
  for (const { id, title } of [...ofEach, ...ofMounts]) define("overlay2", id, title);
});

describeWith([needs.root], "vfs", () => {
  for (const { id, title } of ofOthers) define("vfs", id, title);
});

describeWith([needs.root, needs.overlay], "vfs on an overlay", () => {
  define("vfs", "servedOnOverlay", "a store that is served is known for one");
});

describeWith([needs.root, needs.loopDevices, needs.btrfs], "btrfs", () => {
  for (const { id, title } of ofOthers) define("btrfs", id, title, "btrfs");
});

function define(driver: string, id: string, title: string, fileSystem?: LoopFileSystem): void {
  const program = join(import.meta.dirname, "scenarios/main.mjs");
  test(title, async () => {
    await runWithPrivateMounts((folder) => [process.execPath, program, id, driver, folder], { fileSystem });
  });
}
