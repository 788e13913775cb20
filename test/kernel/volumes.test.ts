/** Volumes that are mounted for real, by programs that run in mounts of their own. */
import { join } from "node:path";
import { test } from "vitest";
import { atNight } from "../night.ts";
import { describeWith, needs } from "../needs.ts";
import { runWithPrivateMounts } from "./graphdriver/private-mounts.ts";

const run = (program: string, ...args: readonly string[]) =>
  runWithPrivateMounts((folder) => [process.execPath, join(import.meta.dirname, "volumes", program), folder, ...args]);

/** By day a step of each call at which most is undecided; at night all. */
const steps = atNight ? [] : ["some", "create: made", "mount: mounted", "unmount: recorded", "remove: removed"];

describeWith([needs.root], "volumes", () => {
  test("of every type are mounted as their options say, and given back", () => run("types.mjs"));
  test("have all that was acknowledged, whatever step their process is killed at", () => run("killed.mjs", ...steps));
  test("need no program but Node", () => run("bare.mjs"));
  test("are there after the machine went down, with no holder left", () => run("rebooted.mjs"));
});
