import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answers } from "../harness/answers.ts";
import { post } from "../harness/post.ts";
import { until } from "../harness/until.ts";

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

test("the example of a volume plugin has twelve lines, and keeps volumes", { timeout: 60_000 }, async () => {
  const example = join(folder, "volume-plugin");
  cpSync(join(project, "examples/volume-plugin"), example, { recursive: true });
  symlinkSync(join(user, "node_modules"), join(example, "node_modules"));
  expect(readFileSync(join(example, "ramdisk.ts"), "utf8").trim().split("\n").length).toBe(12);
  execFileSync(join(project, "node_modules/.bin/tsc"), { cwd: example });
  const socket = join(example, "run/docker/plugins/ramdisk.sock");
  // Where engines of a user's own look for plugins.
  const places = {
    ROOTLESSKIT_STATE_DIR: example,
    XDG_RUNTIME_DIR: join(example, "run"),
    RAMDISK_FOLDER: join(example, "state"),
  };
  for (const volumes of [[], [{ Name: "a", Status: { Options: { size: "1m" }, Mounts: 0 } }]]) {
    const plugin = spawn(process.execPath, ["dist/ramdisk.js"], {
      cwd: example,
      env: { ...process.env, ...places },
      stdio: "inherit",
    });
    const ended = once(plugin, "exit");
    await until(
      "plugin ramdisk to answer",
      30_000,
      async () => (await answers(socket, "POST", "/Plugin.Activate")) || undefined,
    );
    expect(await post(socket, "/VolumeDriver.List", {})).toMatchObject({ body: { Volumes: volumes } });
    await post(socket, "/VolumeDriver.Create", { Name: "a", Opts: { size: "1m" } });
    plugin.kill("SIGKILL");
    await ended;
  }
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
