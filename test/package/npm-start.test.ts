/** Who ends `npm start` of a plugin's project ends the plugin: npm sends signals to the shell that it starts. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { until } from "../harness/processes/until.ts";

const project = join(import.meta.dirname, "../..");
const folder = await mkdtemp(join(tmpdir(), "cleat-npm-start-"));
afterAll(() => rm(folder, { recursive: true }));

const examples = readdirSync(join(project, "examples"), { withFileTypes: true })
  .filter((one) => one.isDirectory())
  .map(({ name }) => join(project, "examples", name));

async function startScriptOf(path: string): Promise<string | undefined> {
  const { scripts } = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as { scripts: { start?: string } };
  return scripts.start;
}

test("a project of cleat new, and the examples, hand signals on", async () => {
  const made = join(folder, "made");
  const argv = [join(project, "dist/cli/main.js"), "new", "volume", "made"];
  expect(spawnSync(process.execPath, argv, { cwd: folder, encoding: "utf8" })).toMatchObject({ status: 0 });
  const scripts = await Promise.all([made, ...examples].map(startScriptOf));
  const starts = [...new Set(scripts)].filter((start) => start !== undefined);
  expect(starts.length).toBeGreaterThan(4);
  await Promise.all(starts.map(assertHandsSignalsOn));
});

/** In the place of the program is one that does nothing but end on a signal. */
async function assertHandsSignalsOn(start: string, at: number): Promise<void> {
  const path = join(folder, `package-${at}`);
  const program = join(path, /dist\/\S+\.js/.exec(start)?.[0] ?? "");
  await mkdir(dirname(program), { recursive: true });
  await writeFile(join(path, "package.json"), JSON.stringify({ type: "module", scripts: { start } }));
  await writeFile(
    program,
    `import { writeFileSync } from "node:fs";
     process.on("SIGTERM", () => { writeFileSync("ended", ""); process.exit(0); });
     setTimeout(() => process.exit(1), 60_000);
     writeFileSync("started", "");`,
  );
  const npm = spawn("npm", ["start"], { cwd: path, stdio: "ignore" });
  await until(`${start} to start`, async () => existsSync(join(path, "started")) || undefined);
  const ended = once(npm, "exit");
  npm.kill("SIGTERM");
  await ended;
  await until(`${start} to end`, async () => existsSync(join(path, "ended")) || undefined);
}
