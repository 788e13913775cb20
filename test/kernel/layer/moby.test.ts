/**
 * Layers archived by us and by moby are the same bytes, and so have the same digest. moby's side is `moby.go`
 * beside this, built from Debian's golang-github-docker-docker-dev.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

import { archiveDifference, archiveTree, compareTrees, type IdRanges, withFolderAt } from "../../../src/layer/index.ts";
import { linkat, mknodat, S_IFBLK, S_IFCHR, S_IFIFO } from "../../../src/syscall/index.ts";
import { createTarReader } from "../../../src/tar/index.ts";
import { apply, archiveOf, readTree } from "../../../src/layer/tree/trees.test.support.ts";
import { describeWith, type Need, needs } from "../../needs.ts";
import { makeScratch, withOverlay } from "./overlay-mount.support.ts";

const goPath = "/usr/share/gocode";
const moby: Need = {
  name: "moby's archiver",
  bring: "apt-get install golang-go golang-github-docker-docker-dev",
  met: spawnSync("go", ["version"]).status === 0 && fs.existsSync(`${goPath}/src/github.com/docker/docker/pkg/archive`),
  reason: "no go in PATH, or no sources of moby below /usr/share/gocode",
};

function run(command: string, ...args: string[]): Buffer {
  const env = { ...process.env, GO111MODULE: "off", GOPATH: goPath, GOFLAGS: "" };
  const { status, stdout, stderr, error } = spawnSync(command, args, { env, maxBuffer: 2 ** 28 });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const noIds: IdRanges = { uids: [], gids: [] };
const capability = "0x0100000200200000000000000000000000000000";
const capabilityOfNamespace = "0x0100000300200000000000000000000000000000e8030000";

describeWith([needs.root, needs.overlay, needs.attr, moby], "an archive and moby's", () => {
  let scratch: ReturnType<typeof makeScratch>;
  let program: string;
  beforeAll(() => {
    scratch = makeScratch("moby");
    program = `${scratch.path}/layer-moby`;
    run("go", "build", "-o", program, fileURLToPath(new URL("moby.go", import.meta.url)));
  });
  afterAll(() => scratch.remove());

  function archiveLayer(folder: string, ids: IdRanges): Buffer {
    const whiteouts = { kind: "overlay", attributePrefix: "trusted." } as const;
    return collect((write) =>
      withFolderAt(folder, (root) => archiveTree(root, { write }, { whiteouts, ids, archiveDialect: "docker-20.10" })),
    );
  }

  it("of a layer with files of every kind and the kernel's own whiteouts are the same bytes", async () => {
    const lower = `${scratch.path}/lower`;
    fs.mkdirSync(lower);
    makeLower(lower);
    const upper = withOverlay(scratch.path, ["lower"], "upper", ({ merged, upper: path }) => {
      editMerged(merged);
      return path;
    });
    const server = createServer().listen(`${upper}/socket`);
    await new Promise((resolve) => server.once("listening", resolve));
    const ours = archiveLayer(upper, noIds);
    const theirs = run(program, "layer", upper);
    await new Promise((resolve) => server.close(resolve));
    expect(namesIn(ours)).toEqual(namesIn(theirs));
    expect(firstDifference(ours, theirs)).toBeUndefined();
    expect(namesIn(ours)).toEqual(expect.arrayContaining([".wh.gone-1", "remade/.wh..wh..opq", "capable-link"]));
  });

  it("of a layer of a user namespace are the same bytes", () => {
    const folder = `${scratch.path}/namespace`;
    fs.mkdirSync(`${folder}/d`, { recursive: true });
    fs.writeFileSync(`${folder}/d/f`, "content");
    fs.linkSync(`${folder}/d/f`, `${folder}/g`);
    fs.symlinkSync("g", `${folder}/l`);
    for (const name of ["d", "d/f", "l"]) fs.lchownSync(`${folder}/${name}`, 100_000, 100_042);
    run("setfattr", "-n", "trusted.overlay.opaque", "-v", "y", `${folder}/d`);
    withFolderAt(folder, (root) => mknodat(root, "gone", S_IFCHR));
    const ranges = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
    const theirs = run(program, "layer", folder, "0:100000:65536");
    expect(firstDifference(archiveLayer(folder, { uids: ranges, gids: ranges }), theirs)).toBeUndefined();
  });

  it("of the changes between two trees are the same bytes, and the changes the same", () => {
    const [older, newer] = [`${scratch.path}/older`, `${scratch.path}/newer`];
    fs.mkdirSync(older);
    makeLower(older);
    run("cp", "-a", older, newer);
    editMerged(newer);
    const changes = withFolderAt(newer, (a) => withFolderAt(older, (b) => compareTrees(a, b)));
    const kinds = ["modified", "added", "deleted"];
    const listed = JSON.parse(run(program, "list", newer, older).toString()) as { Path: string; Kind: number }[];
    expect(changes.map(({ path, kind }) => `${kind} /${Buffer.from(path, "latin1").toString()}`).toSorted()).toEqual(
      listed.map(({ Path, Kind }) => `${kinds[Kind]} ${Path}`).toSorted(),
    );
    const whiteouts = { kind: "delete" } as const;
    const ours = collect((write) =>
      withFolderAt(newer, (a) =>
        withFolderAt(older, (b) =>
          archiveDifference(a, b, { write }, { whiteouts, ids: noIds, archiveDialect: "docker-20.10" }),
        ),
      ),
    );
    const theirs = run(program, "changes", newer, older);
    expect(firstDifference(withoutWhiteoutTimes(ours), withoutWhiteoutTimes(theirs))).toBeUndefined();
  });
});

describeWith([needs.root, moby], "a layer unpacked by us and by moby", () => {
  let scratch: ReturnType<typeof makeScratch>;
  beforeAll(() => {
    scratch = makeScratch("moby-apply");
    run("go", "build", "-o", `${scratch.path}/layer-moby`, fileURLToPath(new URL("moby.go", import.meta.url)));
  });
  afterAll(() => scratch.remove());

  it("is the same tree where hard links' entries say anew what their files are", () => {
    const capable = new Map([["security.capability", Buffer.from(capability.slice(2), "hex")]]);
    const anew = { type: "hardlink", uid: 7, gid: 8, mode: 0o4750, mtimeSeconds: 2000 } as const;
    const bytes = archiveOf(
      { name: "f", content: "f", mode: 0o644, mtimeSeconds: 1000 },
      { ...anew, name: "f-link", linkName: "f" },
      { name: "capable", content: "#!", mode: 0o755, xattrs: capable },
      { ...anew, name: "capable-link", linkName: "./capable", mode: 0o755, xattrs: capable },
      { name: "incapable", content: "#!", mode: 0o755, xattrs: capable },
      { ...anew, name: "incapable-link", linkName: "/incapable", mode: 0o755 },
      { type: "fifo", name: "p" },
      { ...anew, name: "p-link", linkName: "p" },
      { type: "symlink", name: "l", linkName: "f" },
      { ...anew, name: "l-link", linkName: "l", mtimeSeconds: 0 },
    );
    const [ours, theirs] = ["ours", "theirs"].map((name) => `${scratch.path}/${name}`) as [string, string];
    for (const folder of [ours, theirs]) fs.mkdirSync(folder);
    apply(ours, bytes);
    const { status, stderr } = spawnSync(`${scratch.path}/layer-moby`, ["apply", theirs], { input: bytes });
    expect(status, String(stderr)).toBe(0);
    expect(readTree(ours)).toEqual(readTree(theirs));
  });
});

/** What the lower layer has, for deletions and changes to aim at. */
function makeLower(root: string): void {
  for (const folder of ["remade", "kept/below", "emptied"]) fs.mkdirSync(`${root}/${folder}`, { recursive: true });
  for (const name of [
    "gone-1",
    "gone-2",
    "emptied/gone-3",
    "gone-4",
    "remade/old",
    "kept/f",
    "kept/below/f",
    "chmod",
  ]) {
    fs.writeFileSync(`${root}/${name}`, `lower ${name}`);
  }
  fs.symlinkSync("old", `${root}/relinked`);
  fs.utimesSync(`${root}/kept/f`, 1_000_000_000, 1_000_000_000);
}

function editMerged(root: string): void {
  for (const name of ["gone-1", "gone-2", "emptied/gone-3", "gone-4", "remade", "relinked"]) {
    fs.rmSync(`${root}/${name}`, { recursive: true });
  }
  fs.mkdirSync(`${root}/remade`, { mode: 0o2751 });
  fs.chmodSync(`${root}/remade`, 0o2751);
  fs.writeFileSync(`${root}/remade/new`, "new");
  fs.writeFileSync(`${root}/gone-4`, "back again");
  fs.symlinkSync("new-target", `${root}/relinked`);
  fs.chmodSync(`${root}/chmod`, 0o6711);
  fs.appendFileSync(`${root}/kept/f`, "more");
  fs.chownSync(`${root}/kept/below`, 1, 2);

  const long = `${"folder-with-a-long-name/".repeat(9)}${"n".repeat(120)}`;
  fs.mkdirSync(`${root}/${long}`, { recursive: true });
  fs.writeFileSync(`${root}/${long}/${"f".repeat(101)}`, "");
  fs.symlinkSync(long, `${root}/long-target`);
  for (const name of ["caf\xe9", "\xff\xfe", "caf\xc3\xa9", "x\n y", "back\\slash", ".wh", "a.b"]) {
    fs.writeFileSync(Buffer.from(`${root}/${name}`, "latin1"), name);
  }
  fs.symlinkSync(Buffer.from("\xe9", "latin1"), `${root}/latin1-target`);
  fs.mkdirSync(`${root}/a`);
  fs.writeFileSync(`${root}/a/b`, "");
  fs.linkSync(`${root}/caf\u00e9`, `${root}/a/linked`);

  fs.writeFileSync(`${root}/big`, Buffer.alloc(700_001, "big"));
  fs.writeFileSync(`${root}/block`, Buffer.alloc(512, "b"));
  fs.truncateSync(`${root}/chmod`, 1_000_000);
  fs.writeFileSync(`${root}/old`, "");
  fs.utimesSync(`${root}/old`, 1.9, 1.9);
  fs.writeFileSync(`${root}/owned`, "");
  fs.chownSync(`${root}/owned`, 4_000_000_000, 3_000_000);
  fs.lchownSync(`${root}/relinked`, 1, 1);

  withFolderAt(root, (folder) => {
    mknodat(folder, "fifo", S_IFIFO | 0o622);
    mknodat(folder, "null", S_IFCHR | 0o666, 1, 3);
    mknodat(folder, "disk", S_IFBLK | 0o660, 259, 70_000);
    linkat(folder, "null", folder, "null-link");
    linkat(folder, "long-target", folder, "symlink-link");
  });
  for (const name of ["capable", "capable-in-namespace"]) fs.writeFileSync(`${root}/${name}`, "#!");
  run("setfattr", "-n", "user.ignored", "-v", "x", `${root}/capable`);
  run("setfattr", "-n", "security.capability", "-v", capability, `${root}/capable`);
  run("setfattr", "-n", "security.capability", "-v", capabilityOfNamespace, `${root}/capable-in-namespace`);
  fs.linkSync(`${root}/capable`, `${root}/capable-link`);
  fs.linkSync(`${root}/capable-in-namespace`, `${root}/capable-in-namespace-link`);
  for (const name of ["a", "fifo", "relinked"]) {
    run("setfattr", "-h", "-n", "security.capability", "-v", capability, `${root}/${name}`);
  }
}

function collect(make: (write: (bytes: Uint8Array) => void) => void): Buffer {
  const parts: Buffer[] = [];
  make((bytes) => void parts.push(Buffer.from(bytes)));
  return Buffer.concat(parts);
}

function namesIn(archive: Buffer): string[] {
  const chunks = [archive];
  const reader = createTarReader({ read: () => chunks.shift() });
  const names: string[] = [];
  for (let header = reader.next(); header !== undefined; header = reader.next())
    names.push(header.name.toString("latin1"));
  return names;
}

/** The first block in which two archives differ, as text that can be read. */
function firstDifference(ours: Buffer, theirs: Buffer): { ours: string; theirs: string } | undefined {
  if (ours.equals(theirs)) return undefined;
  const at = ours.findIndex((byte, index) => byte !== theirs[index]);
  const start = Math.max(0, (at < 0 ? ours.length : at) & ~511);
  const show = (bytes: Buffer): string => bytes.toString("latin1", start, start + 512).replace(/\0{2,}/g, "…");
  return { ours: `${start}: ${show(ours)}`, theirs: `${start}: ${show(theirs)}` };
}

/** Whiteouts of `ExportChanges` carry the time of the call, which is the one thing that cannot be equal. */
function withoutWhiteoutTimes(archive: Buffer): Buffer {
  for (let at = 0; at < archive.length && archive[at] !== 0;) {
    const name = archive.toString("latin1", at, at + 100);
    if (/(?:^|\/)\.wh\./.test(name)) archive.fill(0, at + 136, at + 156);
    const sizeBytes = Number.parseInt(archive.toString("latin1", at + 124, at + 135), 8);
    at += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
  return archive;
}
