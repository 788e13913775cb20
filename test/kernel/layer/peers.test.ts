/** What GNU tar unpacks from an archive and what a layer becomes of it are one tree, whoever wrote the archive. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";

import { apply, archive, readTree } from "../../../src/layer/tree/trees.test.support.ts";
import {
  linkat,
  mknodat,
  openPath,
  close,
  O_DIRECTORY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
} from "../../../src/syscall/index.ts";
import { describeWith, type Need, needs } from "../../needs.ts";
import { makeScratch } from "./overlay-mount.support.ts";

const tar: Need = {
  name: "GNU tar",
  bring: "apt-get install tar",
  met: spawnSync("tar", ["--version"], { encoding: "utf8" }).stdout?.includes("GNU tar") ?? false,
  reason: "no GNU tar in PATH",
};

function run(command: string, args: readonly string[], cwd: string, input: Uint8Array = Buffer.alloc(0)): Buffer {
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, input, env, maxBuffer: 2 ** 28 });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const unpacking = ["--extract", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--preserve-permissions"];

describeWith([needs.root, needs.attr, tar], "an archive unpacked as a layer and by GNU tar", () => {
  let scratch: ReturnType<typeof makeScratch>;
  let tree: string;
  beforeAll(() => {
    scratch = makeScratch("peers");
    tree = folder("tree");
    fill(tree);
  });
  afterAll(() => scratch.remove());

  function folder(name: string): string {
    fs.mkdirSync(`${scratch.path}/${name}`);
    return `${scratch.path}/${name}`;
  }

  it.each([
    ["pax", ["--xattrs", "--xattrs-include=*"], true],
    ["pax", ["--sparse"], true],
    ["gnu", ["--sparse"], false],
    ["oldgnu", [], false],
  ] as const)("is the same tree: --format=%s %j", (format, options, hasNanoseconds) => {
    const id = `${format}${options.join("")}`;
    const bytes = run("tar", ["--create", `--format=${format}`, ...options, "."], tree);
    const [ours, theirs] = [folder(`ours-${id}`), folder(`theirs-${id}`)];
    apply(ours, bytes);
    run("tar", unpacking, theirs, bytes);
    expect(readTree(ours)).toEqual(readTree(theirs));
    expect(Object.keys(readTree(ours))).toEqual(Object.keys(readTree(tree)));
    if (hasNanoseconds) expect(readTree(ours)["d/f"]).toContain(" 1000123456789 ");
  });

  it("is the same tree when we wrote it, and the same archive when written again", () => {
    const bytes = archive(tree);
    const [ours, theirs] = [folder("ours"), folder("theirs")];
    apply(ours, bytes);
    run("tar", unpacking, theirs, bytes);
    expect(readTree(ours)).toEqual(readTree(theirs));
    expect(archive(ours).equals(bytes)).toBe(true);
    expect(archive(theirs).equals(bytes)).toBe(true);
  });
});

function fill(root: string): void {
  const long = `${"folder-with-a-long-name/".repeat(9)}${"n".repeat(120)}`;
  fs.mkdirSync(`${root}/${long}`, { recursive: true });
  fs.mkdirSync(`${root}/d/closed`, { recursive: true });
  fs.writeFileSync(`${root}/${long}/f`, "long");
  fs.writeFileSync(`${root}/d/f`, "content");
  fs.writeFileSync(`${root}/d/closed/f`, "closed");
  fs.writeFileSync(`${root}/big`, Buffer.alloc(600_001, "big"));
  for (const name of ["caf\xe9", "\xff\xfe", "back\\slash", "with blank\n"]) {
    fs.writeFileSync(Buffer.from(`${root}/${name}`, "latin1"), "");
  }
  for (const [name, mode] of [
    ["su", 0o4755],
    ["sg", 0o2711],
    ["sticky", 0o1644],
    ["none", 0],
  ] as const) {
    fs.writeFileSync(`${root}/${name}`, name);
    fs.chownSync(`${root}/${name}`, 1000, 4_000_000);
    fs.chmodSync(`${root}/${name}`, mode);
  }
  fs.symlinkSync(Buffer.from("\xe9/target", "latin1"), `${root}/symlink`);
  fs.lchownSync(`${root}/symlink`, 5, 6);
  const sparse = fs.openSync(`${root}/sparse`, "w");
  for (let at = 1; at < 30; at++) fs.writeSync(sparse, `at ${at}`, at * 65_536 + 5);
  fs.ftruncateSync(sparse, 2 ** 22);
  fs.closeSync(sparse);

  const folder = openPath(root, O_DIRECTORY);
  mknodat(folder, "fifo", S_IFIFO | 0o622);
  mknodat(folder, "null", S_IFCHR | 0o666, 1, 3);
  mknodat(folder, "disk", S_IFBLK | 0o660, 259, 70_000);
  for (const name of ["null", "symlink", "su"]) linkat(folder, name, folder, `${name}-link`);
  close(folder);

  fs.writeFileSync(`${root}/capable`, "#!");
  run("setfattr", ["-n", "security.capability", "-v", `0x01000002002${"0".repeat(29)}`, "capable"], root);
  run("setfattr", ["-n", "user.binary", "-v", "0x00ff0a3d", "d/f"], root);
  run("setfattr", ["-n", "user.of-a-folder", "-v", "x", "d"], root);
  run("touch", ["-d", "@1000.123456789", "d/f"], root);
  run("touch", ["-h", "-d", "@2000.5", "symlink"], root);
  fs.chmodSync(`${root}/d/closed`, 0o2500);
}
