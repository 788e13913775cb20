/** What `npm run check` runs, as tests, so that one closing line counts everything; and what no tool looks at. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("types", () => check("tsc", "-p", "tsconfig.json"));
test("lint", () => check("oxlint"));
test("format", () => check("oxfmt", "--check"));

/** The formatter breaks code where it can, and neither comments nor texts. */
test("no line of code is longer than 120 characters", () => {
  const long = sourceFiles().flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, at) => (Array.from(line).length > 120 ? [`${file}:${at + 1}`] : [])),
  );
  expect(long).toEqual([]);
});

const env = { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" };

function check(command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command} does not agree:\n${stdout}${stderr}`);
}

/** Those that git knows, or would: from the folder of a package that was unpacked there is nothing to look at. */
function sourceFiles(): readonly string[] {
  const patterns = ["*.ts", "*.mts", "*.mjs"];
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", ...patterns];
  const { status, stdout, stderr } = spawnSync("git", args, { encoding: "utf8", maxBuffer: 2 ** 24 });
  if (status !== 0) throw new Error(stderr);
  return stdout.split("\n").filter((file) => file !== "" && existsSync(file));
}
