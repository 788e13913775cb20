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

test("what is packed holds the build and no tests", () => {
  const packed = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--loglevel=error"], { cwd: project, encoding: "utf8" }),
  );
  const [{ files }] = (Array.isArray(packed) ? packed : Object.values(packed)) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toContain("dist/cli/main.js");
  expect(paths).toContain("dist/workers/thread.js");
  expect(paths.filter((path) => /\.test\.|^src\/|^test\//.test(path))).toEqual([]);
});

test("publint finds nothing wrong with the package", () => {
  const output = execFileSync(join(project, "node_modules/.bin/publint"), ["--strict"], {
    cwd: project,
    encoding: "utf8",
  });
  expect(output).toContain("All good!");
});
