import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
  readonly version: string;
  readonly bin: Record<string, string>;
  readonly exports: Record<string, unknown>;
};

const entries = Object.keys(manifest.exports).map((entry) => entry.replace(/^\./, "cleat"));

function node(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });
}

test.each(entries.filter((entry) => !entry.endsWith(".json")))("%s can be imported from the built package", (entry) => {
  const names = node("--input-type=module", "--eval", `console.log(Object.keys(await import("${entry}")).join(" "))`);
  expect(names.trim().split(" ").length).toBeGreaterThan(0);
  expect(names.trim().split(" ")).not.toContain("default");
});

/** npm makes it executable when it links it for npx, and never again: a build must. */
test("the command runs from the built package, as a program", () => {
  const command = join(project, manifest.bin["cleat"] as string);
  expect(execFileSync(command, ["--version"], { encoding: "utf8" })).toBe(`${manifest.version}\n`);
});
