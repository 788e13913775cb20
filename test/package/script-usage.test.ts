import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const scripts = join(import.meta.dirname, "../../scripts");

test.each(["test", "nightly", "fuzz", "engines", "bench"])(
  "`npm run %s -- --help` says how, and does nothing",
  (name) => {
    const program = join(scripts, `${name}.mjs`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--help"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^usage: npm (?:run )?${name}\\b`));
    expect(stdout.split("\n").length).toBeLessThan(20);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(140);
  },
);
