import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { cleat, folder } from "../run.test.support.ts";

let project: string;
const manifest = {
  name: "mine",
  version: "1.2.3-rc.1",
  description: "Volumes\nof mine",
  cleat: { implements: ["VolumeDriver"] },
  dependencies: { dep: "1" },
  devDependencies: { typescript: "7" },
};
const packageOf = (name: string, more: object = {}) => JSON.stringify({ name, version: "1.0.0", ...more });

beforeEach(async () => {
  project = join(folder, "mine");
  await write({
    "package.json": JSON.stringify(manifest),
    "dist/main.js": 'import "dep"; console.log(process.argv.slice(2).join(" "));',
    "src/main.ts": "// not packed",
    ".npmrc": "secret",
    "node_modules/dep/package.json": packageOf("dep", { main: "index.js", dependencies: { deeper: "1" } }),
    "node_modules/dep/index.js": "require('deeper')",
    "node_modules/dep/node_modules/deeper/package.json": packageOf("deeper", { main: "index.js" }),
    "node_modules/dep/node_modules/deeper/index.js": "",
    "node_modules/typescript/package.json": packageOf("typescript"),
  });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
}

const pack = (kind: string, out: string) => cleat(["pack", kind, project, "--out", join(folder, out)]);

describe("cleat pack deb", () => {
  const isDebian = spawnSync("dpkg-deb", ["--version"]).error === undefined;

  it("makes what dpkg reads, and installs: the program, its units, and what it needs", async (context) => {
    if (!isDebian) return context.skip("dpkg is not there");
    expect(await pack("deb", "mine.deb")).toMatchObject({ code: 0, out: `${join(folder, "mine.deb")}\n`, err: "" });
    const deb = join(folder, "mine.deb");
    const info = execFileSync("dpkg-deb", ["--info", deb], { encoding: "utf8" });
    for (const line of ["Package: mine", "Version: 1.2.3~rc.1", "Architecture: all", "Description: Volumes of mine"]) {
      expect(info).toContain(` ${line}\n`);
    }
    const contents = execFileSync("dpkg-deb", ["--contents", deb], { encoding: "utf8" });
    const listed = [...contents.matchAll(/ \.\/(\S+[^/\s])$/gm)].map(([, path]) => path);
    expect(listed).toEqual([
      "lib/systemd/system/mine.service",
      "lib/systemd/system/mine.socket",
      "usr/lib/mine/dist/main.js",
      "usr/lib/mine/node_modules/dep/index.js",
      "usr/lib/mine/node_modules/dep/node_modules/deeper/index.js",
      "usr/lib/mine/node_modules/dep/node_modules/deeper/package.json",
      "usr/lib/mine/node_modules/dep/package.json",
      "usr/lib/mine/package.json",
    ]);
    const root = join(folder, "root");
    await mkdir(join(root, "var/lib/dpkg/info"), { recursive: true });
    await mkdir(join(root, "var/lib/dpkg/updates"));
    await writeFile(join(root, "var/lib/dpkg/status"), "");
    const options = [`--root=${root}`, "--force-depends", "--force-not-root", "--log=/dev/null", "-i", deb];
    const dpkg = spawnSync("dpkg", options, { encoding: "utf8", env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
    expect({ status: dpkg.status, errors: dpkg.stderr.match(/error.*/) }).toEqual({ status: 0, errors: null });
    const ran = execFileSync(process.execPath, [join(root, "usr/lib/mine/dist/main.js"), "ran"], { encoding: "utf8" });
    expect(ran).toBe("ran\n");
    const unit = await readFile(join(root, "lib/systemd/system/mine.service"), "utf8");
    expect(unit).toContain("ExecStart=/usr/bin/node /usr/lib/mine/dist/main.js /var/lib/mine\n");
  });

  it("makes the same bytes of the same project", async () => {
    await pack("deb", "one.deb");
    const later = new Date("2030-01-01");
    await utimes(join(project, "dist/main.js"), later, later);
    await pack("deb", "two.deb");
    expect(await readFile(join(folder, "one.deb"))).toEqual(await readFile(join(folder, "two.deb")));
  });
});

describe("cleat pack docker", () => {
  it("makes a root file system in which the program runs, and says what Docker has to know", async (context) => {
    expect(await pack("docker", "bundle")).toMatchObject({ code: 0, err: "" });
    const bundle = join(folder, "bundle");
    const config = JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config).toMatchObject({
      interface: { types: ["docker.volumedriver/1.0"], socket: "mine.sock" },
      propagatedMount: "/data",
      entrypoint: ["/usr/bin/node", "/plugin/dist/main.js", "/data", "/run/docker/plugins/mine.sock"],
    });
    expect((await stat(join(bundle, "config.json"))).mtimeMs).toBe(315_532_800_000);
    expect((await readdir(bundle)).toSorted()).toEqual(["config.json", "rootfs"]);
    if (process.geteuid?.() !== 0) return context.skip("only root may change its root folder");
    const [program = "", ...args] = config["entrypoint"] as string[];
    const rootfs = join(bundle, "rootfs");
    const ran = execFileSync("chroot", [rootfs, program, ...args], { encoding: "utf8" });
    expect(ran).toBe("/data /run/docker/plugins/mine.sock\n");
  });
});

/**
 * As `npm install` has it of a dependency by its path: a link to a folder whose own packages lie beside it, or above.
 */
it("packs a package for whoever finds it, where the project has another of that name", async () => {
  const linked = join(folder, "elsewhere/node_modules/linked");
  await write({
    "../elsewhere/node_modules/linked/package.json": packageOf("linked", { dependencies: { dep: "2" } }),
    "../elsewhere/node_modules/linked/index.js": "module.exports = require('dep')",
    "../elsewhere/node_modules/dep/package.json": packageOf("dep", { version: "2.0.0" }),
    "../elsewhere/node_modules/dep/index.js": "module.exports = 'theirs'",
    "node_modules/dep/index.js": "module.exports = 'mine'",
    "dist/main.js": 'import dep from "dep"; import linked from "linked"; console.log(dep, linked);',
    "package.json": JSON.stringify({ ...manifest, type: "module", dependencies: { linked: "file:", dep: "1" } }),
  });
  await symlink(linked, join(project, "node_modules/linked"));
  expect(await pack("docker", "bundle")).toMatchObject({ code: 0, err: "" });
  const ran = execFileSync(process.execPath, [join(folder, "bundle/rootfs/plugin/dist/main.js")], { encoding: "utf8" });
  expect(ran).toBe("mine theirs\n");
});

it.each([
  [{ cleat: undefined }, /lacks what the plugin implements/],
  [{ cleat: { implements: ["Teapot"] } }, /lacks what the plugin implements/],
  [{ version: "1" }, /version: is no version/],
  [{ main: "../x.js" }, /main: does not lie in dist/],
  [{ main: "dist/other.js" }, /other\.js" is not there: build it first/],
  [{ name: "../mine" }, /plugin name/],
  [{ dependencies: { missing: "1" } }, /dependency "missing" is not installed/],
])("refuses a project with %j, and leaves nothing", async (wrong, message) => {
  await write({ "package.json": JSON.stringify({ ...manifest, ...wrong }) });
  const { code, err } = await pack("deb", "mine.deb");
  expect(code).toBe(1);
  expect(err).toMatch(message);
  expect(existsSync(join(folder, "mine.deb"))).toBe(false);
});

it("wants a folder with a project", async () => {
  expect(await cleat(["pack", "deb", join(folder, "none")])).toMatchObject({
    code: 1,
    err: `cleat: there is no "${join(folder, "none", "package.json")}": name the folder of a plugin's project\n`,
  });
});

it("takes the place of nothing", async () => {
  await writeFile(join(folder, "mine.deb"), "theirs");
  expect(await pack("deb", "mine.deb")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/mine\.deb" is there; remove it first/),
  });
  expect(await readFile(join(folder, "mine.deb"), "utf8")).toBe("theirs");
  expect((await readdir(folder)).filter((name) => name.startsWith(".cleat-pack"))).toEqual([]);
  await rm(join(folder, "mine.deb"));
});
