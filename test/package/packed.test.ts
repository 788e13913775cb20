import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "cleat-packed-"));
const clone = join(folder, "clone");
/** Another's, which has Cleat and its dependencies, and nothing else. */
const user = join(folder, "user");
afterAll(() => rmSync(folder, { recursive: true }));

let packed: readonly string[];

/** As a clone that nothing was ever done in but `npm ci`, packed, and unpacked as npm does; no install script runs. */
beforeAll(() => {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: project });
  const needed = /^(?:src|scripts)\/|^[^/]+$/;
  for (const file of files
    .toString()
    .split("\0")
    .filter((path) => needed.test(path))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(project, file), join(clone, file), { verbatimSymlinks: true });
  }
  symlinkSync(join(project, "node_modules"), join(clone, "node_modules"));
  const name = execFileSync("npm", ["pack", "--silent"], { cwd: clone, encoding: "utf8" }).trim();
  const target = join(user, "node_modules/cleat");
  mkdirSync(target, { recursive: true });
  const listed = execFileSync("tar", ["-xvzf", join(clone, name), "--strip-components=1", "-C", target], {
    encoding: "utf8",
  });
  packed = listed
    .trim()
    .split("\n")
    .map((path) => path.replace(/^package\//, ""));
  const { dependencies } = JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as { dependencies: object };
  for (const dependency of Object.keys(dependencies)) {
    const link = join(user, "node_modules", dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(project, "node_modules", dependency), link);
  }
  mkdirSync(join(user, "node_modules/@types"), { recursive: true });
  symlinkSync(join(project, "node_modules/@types/node"), join(user, "node_modules/@types/node"));
}, 60_000);

test("a fresh clone is built before it is packed, without tests and what leads to sources that are not there", () => {
  for (const path of ["dist/cli/main.js", "dist/workers/thread.js", "dist/errors/index.d.ts", "README.md", "LICENSE"]) {
    expect(packed).toContain(path);
  }
  expect(packed.filter((path) => /\.test\.|\.map$|^(src|test|scripts)\//.test(path))).toEqual([]);
  expect(readFileSync(join(user, "node_modules/cleat/dist/cli/run.js"), "utf8")).not.toContain("sourceMappingURL");
});

/** With workers, and system calls by koffi, whose install script never ran. */
test("five lines run in a project that has nothing else", () => {
  writeFileSync(
    join(user, "layers.mjs"),
    `import { vfs } from "cleat/drivers";
    const driver = await vfs.open({ home: new URL("home", import.meta.url).pathname });
    await driver.create("base", {});
    console.log((await (await driver.diff("base")).toArray()).length > 0);
    await driver.close();`,
  );
  expect(execFileSync(process.execPath, ["layers.mjs"], { cwd: user, encoding: "utf8" })).toBe("true\n");
});

/** In memory, if that is to be had: what is kept is not tested here, and a disk takes minutes to have it. */
test("the example of a driver is built there, and passes the kit", { timeout: 240_000 }, () => {
  const example = join(folder, "example");
  cpSync(join(project, "examples/copying-driver"), example, { recursive: true });
  symlinkSync(join(user, "node_modules"), join(example, "node_modules"));
  const options = { cwd: example, encoding: "utf8" } as const;
  execFileSync(join(project, "node_modules/.bin/tsc"), options);
  const home = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : folder, "cleat-example-"));
  try {
    const { stdout } = spawnSync(process.execPath, ["dist/kit.js", home], options);
    expect(stdout.split("\n").filter((line) => !line.startsWith("skipped"))).toEqual([
      expect.stringMatching(/^\d{3} passed$/),
      "",
    ]);
  } finally {
    rmSync(home, { recursive: true });
  }
});

/** As a newcomer does it, with what npm would have installed. */
test("a project that cleat new has written is built there, and passes its own checks", { timeout: 120_000 }, () => {
  const begun = join(folder, "begun");
  const main = join(user, "node_modules/cleat/dist/cli/main.js");
  execFileSync(main, ["new", "volume", "begun", "--folder", begun]);
  symlinkSync(join(user, "node_modules"), join(begun, "node_modules"));
  const bin = join(user, "node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(main, join(bin, "cleat"));
  symlinkSync(join(project, "node_modules/.bin/tsc"), join(bin, "tsc"));
  const { status, stdout, stderr } = spawnSync("npm", ["test"], { cwd: begun, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm test ended with ${status}: ${stdout.slice(-3000)}${stderr}`);
  expect(stdout).toMatch(/^# passed \d{2}, failed 0, advice 0, known 0, skipped 0$/m);
});

test("the command runs there", () => {
  const version = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { version: string };
  const main = join(user, "node_modules/cleat/dist/cli/main.js");
  expect(execFileSync(main, ["--version"], { cwd: user, encoding: "utf8" })).toBe(`${version.version}\n`);
});

test("publint finds nothing wrong with the package", () => {
  const options = { cwd: join(user, "node_modules/cleat"), encoding: "utf8" } as const;
  const output = execFileSync(join(project, "node_modules/.bin/publint"), ["--strict", "--pack", "false"], options);
  expect(output).toContain("All good!");
});
