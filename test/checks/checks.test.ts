/** What `npm run check` runs, as tests: so that one closing line counts everything. */
import { spawnSync } from "node:child_process";
import { test } from "vitest";

test("types", () => check("tsc", "-p", "tsconfig.json"));
test("lint", () => check("oxlint"));
test("format", () => check("oxfmt", "--check"));

const env = { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" };

function check(command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command} does not agree:\n${stdout}${stderr}`);
}
