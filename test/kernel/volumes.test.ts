/** Volumes that are mounted for real, by programs that run in mounts of their own. */
import { join } from "node:path";
import { test } from "vitest";
import { describeWith, needs } from "../needs.ts";
import { runWithPrivateMounts } from "./graphdriver/private-mounts.ts";

const run = (program: string) =>
  runWithPrivateMounts((folder) => [process.execPath, join(import.meta.dirname, "volumes", program), folder]);

describeWith([needs.root], "volumes", () => {
  test("of every type are mounted as their options say, and given back", () => run("types.mjs"));
  test("have all that was acknowledged, whatever step their process is killed at", () => run("killed.mjs"));
  test("are there after the machine went down, with no holder left", () => run("rebooted.mjs"));
});
