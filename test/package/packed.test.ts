import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { atNight } from "../night.ts";
import { answers } from "../harness/processes/answers.ts";
import { post } from "../harness/plugins/post.ts";
import { until } from "../harness/processes/until.ts";
import { exampleScenarios } from "./example-scenarios.ts";
import { startProgram } from "./start-program.ts";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "cleat-packed-"));
const clone = join(folder, "clone");
/** Another's, which has Cleat and its dependencies, and nothing else. */
const user = join(folder, "user");
/** Of newcomers, above which there are no packages that Node would find. */
const projects = mkdtempSync(join(tmpdir(), "cleat-new-"));
afterAll(() => {
  for (const made of [folder, projects]) rmSync(made, { recursive: true });
});

let packed: readonly string[];
let unbuilt: { readonly status: number | null; readonly stderr: string };

/** As a clone that nothing was ever done in but `npm ci`, packed, and unpacked as npm does; no install script runs. */
beforeAll(() => {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: project });
  const needed = /^(?:bin|src|scripts|schemas)\/|^[^/]+$/;
  for (const file of files
    .toString()
    .split("\0")
    .filter((path) => needed.test(path))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(project, file), join(clone, file), { verbatimSymlinks: true });
  }
  symlinkSync(join(project, "node_modules"), join(clone, "node_modules"));
  unbuilt = spawnSync(process.execPath, ["bin/cleat.mjs", "--version"], { cwd: clone, encoding: "utf8" });
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
  // koffi's, for this processor
  symlinkSync(join(project, "node_modules/@koromix"), join(user, "node_modules/@koromix"));
  mkdirSync(join(user, "node_modules/@types"), { recursive: true });
  symlinkSync(join(project, "node_modules/@types/node"), join(user, "node_modules/@types/node"));
});

test("a fresh clone is built before it is packed, without tests and what leads to sources that are not there", () => {
  for (const path of [
    "dist/cli/main.js",
    "dist/workers/thread.js",
    "dist/errors/index.d.ts",
    "schemas/IpamDriver.json",
    "LICENSE",
  ]) {
    expect(packed).toContain(path);
  }
  expect(packed.filter((path) => /\.test\.|\.map$|^(src|test|scripts)\//.test(path))).toEqual([]);
  expect(readFileSync(join(user, "node_modules/cleat/dist/cli/run.js"), "utf8")).not.toContain("sourceMappingURL");
});

test("the command of a clone that is not built says so", () => {
  expect(unbuilt).toMatchObject({ status: 1, stderr: expect.stringContaining("run npm run build") });
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

/** Copies an example beside the user's packages, and compiles it there, as its author would. */
function buildExample(name: string): string {
  const example = join(folder, name);
  cpSync(join(project, "examples", name), example, { recursive: true });
  symlinkSync(join(user, "node_modules"), join(example, "node_modules"));
  const types = join(user, "node_modules/@types/node");
  mkdirSync(dirname(types), { recursive: true });
  if (!existsSync(types)) symlinkSync(join(project, "node_modules/@types/node"), types);
  execFileSync(join(project, "node_modules/.bin/tsc"), { cwd: example, encoding: "utf8" });
  return example;
}

/** In memory, if that is to be had: what is kept is not tested here, and a disk takes minutes to have it. */
test("the example of a driver is built there, and passes the kit", () => {
  const options = { cwd: buildExample("copying-driver"), encoding: "utf8" } as const;
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

/**
 * What they do for engines is tested with engines (`test/engine`), but for the metrics of a socket that is not
 * Docker's.
 */
test.each(exampleScenarios)("the example $name is built there, and is a plugin", async (scenario) => {
  const example = buildExample(scenario.name);
  const socket = join(example, "plugin.sock");
  const [state, metrics] = [join(example, "state"), join(example, "metrics.sock")];
  await using plugin = await startProgram([`dist/${scenario.program}`, socket, state, metrics], example);
  expect(await post(socket, "/Plugin.Activate", {})).toEqual({
    status: 200,
    body: { Implements: [scenario.announced] },
  });
  await scenario.run(socket, state, metrics);
  expect(plugin.stderr()).toBe("");
});

test("the example of a network driver is built there", () => {
  expect(existsSync(join(buildExample("network-driver"), "dist/bridge.js"))).toBe(true);
});

/** Their plugins meet engines in `test/engine`. */
test("the examples of plugins are built there, and work", () => {
  for (const name of ["authz-policy", "file-logs"]) buildExample(name);
  const program = `
    import { createAuthorizer } from "cleat/authz";
    import { createHostPolicy } from "./authz-policy/dist/policy.js";
    import { createFileLogs } from "./file-logs/dist/file-logs.js";
    const facts = { user: "", authenticationMethod: "", headers: {}, body: undefined, peerCertificates: [] };
    const { authorizeRequest } = createAuthorizer({ policy: createHostPolicy([]) });
    const decisions = [["GET", "/info"], ["POST", "/swarm/init"], ["POST", "/containers/create"]]
      .map(([method, uri]) => authorizeRequest({ ...facts, method, uri }));
    console.log((await Promise.all(decisions)).map(({ allow }) => allow).join());
    const container = { id: "0".repeat(64), options: { "max-size": "300", "max-file": "3" } };
    const logs = createFileLogs("logs");
    const log = await logs.openLog(container);
    for (let at = 0; at < 20; at++) {
      await log.write([{ source: "stdout", timeNs: BigInt(at), line: Buffer.from([255, 48 + at]) }], { dropped: 0 });
    }
    await log.close();
    const kept = [];
    for await (const { line } of logs.readLogs(container, { tail: 2 })) kept.push(line[0], line[1] - 48);
    console.log(kept.join());`;
  writeFileSync(join(folder, "examples.mjs"), program);
  symlinkSync(join(user, "node_modules"), join(folder, "node_modules"));
  const output = execFileSync(process.execPath, ["examples.mjs"], { cwd: folder, encoding: "utf8" });
  expect(output).toBe("true,false,false\n255,18,255,19\n");
});

const kinds = ["volume", "network", "ipam", "authz", "log", "secret", "metrics"];

/** Links what a project's `package.json` names, and nothing else: to a package by its path npm does the same. */
function installNamed(begun: string): void {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(begun, "package.json"), "utf8")) as Record<
    "dependencies" | "devDependencies",
    Readonly<Record<string, string>>
  >;
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const link = join(begun, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(name === "cleat" ? user : project, "node_modules", name), link);
  }
  const bin = join(begun, "node_modules/.bin");
  mkdirSync(bin);
  symlinkSync(join(user, "node_modules/cleat/dist/cli/main.js"), join(bin, "cleat"));
  symlinkSync(join(project, "node_modules/.bin/tsc"), join(bin, "tsc"));
}

const isDebian = spawnSync("dpkg-deb", ["--version"]).error === undefined;

/** As a newcomer does it; by day one of them as engines call it. */
test.each(kinds)(
  "a project that cleat new %s has written is built there, and passes its checks",
  (kind) => {
    const begun = join(projects, `my-${kind}`);
    const main = join(user, "node_modules/cleat/dist/cli/main.js");
    execFileSync(main, ["new", kind, `my-${kind}`, "--folder", begun]);
    installNamed(begun);
    const isWhole = atNight || kind === "volume";
    const inProcess = ["-c", "node_modules/.bin/tsc && node --test dist/*.test.js"];
    const [command, args] = isWhole ? ["npm", ["test"]] : ["sh", inProcess];
    const env = { ...process.env, TMPDIR: "/var/tmp" }; // in memory, when all is tested
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: begun, encoding: "utf8", env });
    if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout.slice(-3000)}${stderr}`);
    expect(stdout).toMatch(/^[#ℹ] pass [1-9]\d*$/m); // as Node 20 says it, and later ones
    if (isWhole) expect(stdout).toMatch(/^# passed \d{2}, failed 0, advice 0, known 0, skipped \d$/m);
    const deb = execFileSync(main, ["pack", "deb"], { cwd: begun, encoding: "utf8" });
    expect(existsSync(deb.trim())).toBe(true);
    if (isDebian) loadPacked(deb.trim(), kind);
    rmSync(begun, { recursive: true });
  },
  120_000,
);

/** Its driver finds in the package all that it imports. */
function loadPacked(deb: string, kind: string): void {
  const unpacked = join(projects, `unpacked-${kind}`);
  execFileSync("dpkg-deb", ["-x", deb, unpacked]);
  const program = `await import("./usr/lib/my-${kind}/dist/driver.js"); console.log("loaded")`;
  const args = ["--input-type=module", "--eval", program];
  expect(execFileSync(process.execPath, args, { cwd: unpacked, encoding: "utf8" })).toBe("loaded\n");
  rmSync(unpacked, { recursive: true });
}

test("the example of a volume plugin has twelve lines, and keeps volumes", async () => {
  const example = buildExample("volume-plugin");
  expect(readFileSync(join(example, "ramdisk.ts"), "utf8").trim().split("\n").length).toBe(12);
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
  const main = join(user, "node_modules/cleat/bin/cleat.mjs");
  expect(execFileSync(main, ["--version"], { cwd: user, encoding: "utf8" })).toBe(`${version.version}\n`);
});

test("publint finds nothing wrong with the package", () => {
  const options = { cwd: join(user, "node_modules/cleat"), encoding: "utf8" } as const;
  const output = execFileSync(join(project, "node_modules/.bin/publint"), ["--strict", "--pack", "false"], options);
  expect(output).toContain("All good!");
});
