/**
 * Archives that try to leave the folder they are unpacked in. The names in capitals are those of containerd v1.6.20
 * `archive/tar_test.go` `TestBreakouts` and of the tests of moby v20.10.24 `pkg/archive`; what is expected is our own.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";

import { openByWalk } from "../../src/layer/tree/confine.ts";
import {
  apply,
  archiveOf,
  deleting,
  type Entry,
  failureOf,
  overlay,
  readTree,
} from "../../src/layer/tree/trees.test.support.ts";
import { close, fstat, O_DIRECTORY, O_RDONLY, openPath } from "../../src/syscall/index.ts";
import { craftArchive, craftEntry, craftPax, octal, ustarMagic } from "../../src/tar/reading/crafted.test.support.ts";
import { describeWith, needs } from "../needs.ts";
import { makeScratch } from "./layer-overlay-mount.support.ts";

const folder = (name: string): Entry => ({ type: "directory", name });
const file = (name: string, content = "new"): Entry => ({ name, content });
const symlink = (name: string, linkName: string): Entry => ({ type: "symlink", name, linkName });
const hardlink = (name: string, linkName: string): Entry => ({ type: "hardlink", name, linkName });

const etc = [folder("etc"), file("etc/passwd", "inside")];
const localetc = [folder("etc"), file("etc/passwd", "inside"), folder("localetc")];
/** Stands for the victim's absolute path in link targets. */
const victim = "VICTIM";

/** A code, or what is there afterwards: content, "-> target", "is first-name", "folder", or nothing for undefined. */
type Outcome = string | Record<string, string | undefined>;
type Row = readonly [name: string, below: readonly Entry[], entries: readonly Entry[], outcome: Outcome];

const outside = "INVALID_ARGUMENT";
const linked = { "etc/passwd": "inside", localpasswd: "is etc/passwd" };
const unbroken = { "etc/unbroken": "new" };

const rows: readonly Row[] = [
  ["SymlinkAbsolute", [], [folder("etc"), symlink("localetc", "/etc"), file("/localetc/unbroken")], unbroken],
  [
    "SymlinkUpAndOut",
    [],
    [folder("etc"), folder("dummy"), symlink("localetc", "/dummy/../etc"), file("localetc/unbroken")],
    unbroken,
  ],
  [
    "SymlinkMultipleAbsolute",
    [],
    [
      folder("etc"),
      folder("dummy"),
      symlink("/dummy/etc", "/etc"),
      symlink("localetc", "/dummy/etc"),
      file("localetc/unbroken"),
    ],
    unbroken,
  ],
  [
    "SymlinkMultipleRelative",
    [],
    [
      folder("etc"),
      folder("dummy"),
      symlink("dummy/etc", "/etc"),
      symlink("localetc", "./dummy/etc"),
      file("localetc/unbroken"),
    ],
    unbroken,
  ],
  ["SymlinkEmptyFile", [], [...etc, symlink("localetc", "/etc"), file("localetc/passwd", "")], { "etc/passwd": "" }],
  [
    "HardlinkRelative",
    [],
    [...etc, symlink("breakouts/d1", "../../etc"), hardlink("localpasswd", "/breakouts/d1/passwd")],
    linked,
  ],
  [
    "HardlinkDownAndOut",
    [],
    [
      ...etc,
      folder("downandout"),
      symlink("breakouts/d1", "../downandout/../../etc"),
      hardlink("localpasswd", "breakouts/d1/passwd"),
    ],
    linked,
  ],
  ["HardlinkAbsolute", [], [...etc, symlink("localetc", "/etc"), hardlink("localpasswd", "/localetc/passwd")], linked],
  [
    "HardlinkRelativeLong",
    [],
    [...etc, symlink("localetc", "../../../../../../../etc"), hardlink("localpasswd", "/localetc/passwd")],
    linked,
  ],
  [
    "HardlinkRelativeUpAndOut",
    [],
    [...etc, symlink("localetc", "upandout/../../../etc"), hardlink("localpasswd", "localetc/passwd")],
    outside, // as in a root of its own: the folder that it passes through is not there
  ],
  ["HardlinkDirectRelative", [], [...etc, hardlink("localpasswd", "../../../../../etc/passwd")], outside],
  ["HardlinkDirectAbsolute", [], [...etc, hardlink("localpasswd", "/etc/passwd")], linked],
  [
    "HardlinkSymlinkBeforeCreateTarget",
    [],
    [
      folder("etc"),
      symlink("localpasswd", "/etc/passwd"),
      hardlink("localpasswd-dup", "localpasswd"),
      file("etc/passwd"),
    ],
    { "etc/passwd": "new", localpasswd: "-> /etc/passwd", "localpasswd-dup": "is localpasswd" },
  ],
  [
    "HardlinkSymlinkRelative",
    [],
    [...etc, symlink("passwdlink", "../../../../../etc/passwd"), hardlink("localpasswd", "/passwdlink")],
    { localpasswd: "-> ../../../../../etc/passwd", passwdlink: "is localpasswd" },
  ],
  [
    "HardlinkSymlinkAbsolute",
    [],
    [...etc, symlink("passwdlink", "/etc/passwd"), hardlink("localpasswd", "/passwdlink")],
    { localpasswd: "-> /etc/passwd", passwdlink: "is localpasswd" },
  ],
  ["SymlinkParentDirectory", [], [...etc, symlink("..", "/etc/"), hardlink("localpasswd", "/etc/passwd")], outside],
  ["SymlinkEmptyFilename", [], [...etc, symlink("", "/etc/"), hardlink("localpasswd", "/etc/passwd")], outside],
  [
    "SymlinkParentRelative",
    [],
    [...etc, symlink("localetc/sub/..", "/etc/"), hardlink("localetc/localpasswd", "/etc/passwd")],
    { localetc: "-> /etc/", "etc/localpasswd": "inside", "etc/passwd": "is etc/localpasswd" },
  ],
  [
    "SymlinkSlashEnded",
    [],
    [...etc, folder("localetc/"), hardlink("/localetc/localpasswd", "/etc/passwd")],
    { "localetc/localpasswd": "is etc/passwd" },
  ],
  [
    "SymlinkOverrideDirectory",
    localetc,
    [symlink("localetc", "/etc"), hardlink("localetc/localpasswd", "/etc/passwd")],
    { localetc: "-> /etc", "etc/passwd": "is etc/localpasswd" },
  ],
  [
    "SymlinkOverrideDirectoryRelative",
    localetc,
    [symlink("localetc", "../../etc"), hardlink("localetc/localpasswd", "/etc/passwd")],
    { localetc: "-> ../../etc", "etc/passwd": "is etc/localpasswd" },
  ],
  [
    "DirectoryOverrideSymlink",
    [...etc, symlink("localetc", "/etc")],
    [folder("localetc"), hardlink("localetc/localpasswd", "/etc/passwd")],
    { localetc: "folder", "localetc/localpasswd": "is etc/passwd" },
  ],
  [
    "DirectoryOverrideSymlinkAndHardlink",
    [...etc, symlink("localetc", "etc"), hardlink("localetc/localpasswd", "/etc/passwd")],
    [folder("localetc"), file("localetc/localpasswd", "different")],
    { "localetc/localpasswd": "different", "etc/localpasswd": "inside", "etc/passwd": "is etc/localpasswd" },
  ],
  ["WhiteoutRootParent", etc, [file(".wh...", "")], outside],
  ["WhiteoutParent", etc, [file("etc/.wh...", "")], outside],
  ["WhiteoutRoot", etc, [file(".wh..", "")], outside],
  ["WhiteoutCurrentDirectory", etc, [file("etc/.wh..", "")], outside],
  [
    "WhiteoutSymlink",
    [...etc, symlink("localetc", "/etc")],
    [file(".wh.localetc", "")],
    { "etc/passwd": "inside", localetc: undefined },
  ],
  [
    "WhiteoutSymlinkPath",
    [...etc, file("etc/whitedout"), symlink("localetc", "/etc")],
    [file("localetc/.wh.whitedout", "")],
    { "etc/passwd": "inside", "etc/whitedout": undefined },
  ],
  [
    "WhiteoutDirectoryName",
    [...etc, symlink("localetc", "/etc")],
    [file(".wh.etc/somefile")],
    { "etc/passwd": "inside", ".wh.etc/somefile": "new" },
  ],
  ["WhiteoutDeadSymlinkParent", [...etc, symlink("localetc", "/dne")], [file("localetc/.wh.etc", "")], outside],
  [
    "WhiteoutRelativePath",
    [...etc, symlink("localetc", "/dne")],
    [file("dne/../.wh.etc", "")],
    { "etc/passwd": undefined, localetc: "-> /dne" },
  ],
  [
    "HardlinkSymlinkChmod",
    [],
    [symlink("up", `${victim}/hello`), { ...hardlink("sketchylink", "up"), mode: 0o777, uid: 9 }],
    { up: "is sketchylink" },
  ],
  ["ThroughHardlinkToSymlink", [], [symlink("a", victim), hardlink("b", "a"), file("b/hello", "broken")], outside],

  ["InvalidFilenames: ..", [], [file("../victim/dotdot")], outside],
  ["InvalidFilenames: /..", [], [file("/../victim/slash-dotdot")], { "victim/slash-dotdot": "new" }],
  ["InvalidHardlink: ..", [], [hardlink("dotdot", "../victim/hello")], outside],
  ["InvalidHardlink: /..", [], [hardlink("slash-dotdot", "/../victim/hello")], "NOT_FOUND"],
  ["InvalidHardlink: folder", [], [hardlink("loophole", "../victim"), file("loophole/hello")], outside],
  ["InvalidHardlink: absolute", [], [hardlink("loophole", `${victim}/hello`)], "NOT_FOUND"],
  ["InvalidSymlink: write", [], [symlink("loophole", "../victim/hello"), file("loophole")], { loophole: "new" }],
  ["InvalidSymlink: write below", [], [symlink("loophole", "../victim"), file("loophole/hello")], outside],
  ["InvalidSymlink: write below, absolute", [], [symlink("loophole", victim), file("loophole/hello")], outside],
  [
    "InvalidSymlink: remove",
    [symlink("loophole", "../victim")],
    [folder("loophole"), symlink("loophole", "x")],
    { loophole: "-> x" },
  ],
  [
    "InvalidSymlink: two hops",
    [],
    [symlink("dir/loophole", "../../victim"), file("dir/loophole/newdir/newfile")],
    outside,
  ],
  [
    "HardlinkToSymlink",
    [],
    [symlink("symlink1", "regfile"), symlink("symlink2", "symlink1"), file("regfile"), hardlink("h", "symlink2")],
    { h: "-> symlink1", symlink2: "is h", regfile: "new" },
  ],

  ["dots in every place", [], [file("a/../../b")], outside],
  ["dots behind a symlink", [symlink("a", victim)], [file("a/../b")], { b: "new" }],
  ["a chain that climbs a step with each link", [], chain(), { f: "new" }],
  ["a chain that bites its tail", [], [symlink("a", "b"), symlink("b", "a"), file("a/f")], outside],
  ["a magic link", [], [symlink("a", "/proc/self/cwd"), file("a/f")], outside],
  ["a folder's attributes through a symlink", [symlink("d", victim)], [{ ...folder("d"), mode: 0 }], { d: "folder" }],
  [
    "a folder that becomes a symlink before it gets its attributes",
    [],
    [{ ...folder("d"), mode: 0o7777, uid: 5 }, symlink("d", victim)],
    { d: `-> ${victim}` },
  ],
  [
    "a folder that becomes a symlink by another name",
    [],
    [folder("a/b"), symlink("l", "a"), { ...folder("a/b"), mode: 0, uid: 5 }, symlink("l/b", victim)],
    { "a/b": `-> ${victim}` },
  ],
  [
    "a symlink's attributes",
    [],
    [{ ...symlink("l", `${victim}/hello`), uid: 5, gid: 6, mtimeSeconds: 7 }],
    { l: `-> ${victim}/hello` },
  ],
  ["an opaque marker through a symlink", [symlink("l", victim)], [file("l/.wh..wh..opq", "")], outside],
  ["an opaque marker through a relative symlink", [symlink("l", "../victim")], [file("l/.wh..wh..opq", "")], outside],
  ["an opaque marker above the root", [], [file("../.wh..wh..opq", "")], outside],
  ["a whiteout of the victim", [], [file("../.wh.victim", "")], outside],
  ["a whiteout with a path in it", [], [file(".wh../../victim/.wh.hello", "")], {}],
  ["a whiteout through a symlink", [symlink("l", "..")], [file("l/.wh.victim", "")], { l: "-> ..", victim: undefined }],
  ["a whiteout of a folder held open", [file("d/f")], [file("d/g"), file(".wh.d", ""), file("d/h")], { "d/h": "new" }],
  [
    "a name used thrice",
    [],
    [file("n"), folder("n"), symlink("n", victim), folder("n"), file("n/hello")],
    { "n/hello": "new" },
  ],
  ["a FIFO to write into", [{ type: "fifo", name: "p" }], [file("p")], { p: "new" }],
  [
    "a hard link to a symlink, written to",
    [symlink("l", `${victim}/hello`)],
    [hardlink("h", "l"), file("h")],
    { h: "new" },
  ],
  ["books of aufs that are a symlink", [], [symlink(".wh..wh.plnk", victim), file(".wh..wh.plnk/hello")], {}],
  ["a name of 256 bytes", [], [file("n".repeat(256))], outside],
  ["a name beyond PATH_MAX", [], [file("d/".repeat(2100))], outside],
  ["a target beyond PATH_MAX", [], [symlink("l", "t".repeat(4096))], outside],
];

/** Ten folders, one in the other, each with a link to the one above, and a file by way of all of these and one more. */
function chain(): Entry[] {
  const folders = Array.from({ length: 10 }, (_, depth) => "c/".repeat(depth + 1).slice(0, -1));
  const links = folders.map((at) => symlink(`${at}/up`, ".."));
  return [...folders.map(folder), ...links, symlink("top", `${folders.at(-1)}/up${"/up".repeat(9)}/..`), file("top/f")];
}

describeWith([needs.root], "an archive that tries to break out", () => {
  let scratch: ReturnType<typeof makeScratch>;
  let root: string;
  beforeEach(() => {
    scratch = makeScratch("breakout");
    root = `${scratch.path}/root`;
    fs.mkdirSync(root);
    fs.mkdirSync(`${scratch.path}/victim`);
    fs.writeFileSync(`${scratch.path}/victim/hello`, "hello", { mode: 0o640 });
    fs.symlinkSync("hello", `${scratch.path}/victim/link`);
  });
  afterEach(() => scratch.remove());

  const aimed = (text: string): string => text.replaceAll(victim, `${scratch.path}/victim`);
  const archiveAt = (entries: readonly Entry[]): Buffer =>
    archiveOf(...entries.map((entry) => ({ ...entry, ...(entry.linkName && { linkName: aimed(entry.linkName) }) })));

  /** All that must not change: the victim, its names and link counts, what lies beside it, and the host's own /etc. */
  function surroundings(): unknown {
    const names = ["victim", "victim/hello", "victim/link", "."].map((name) => {
      const { nlink, ctimeNs, mode } = fs.lstatSync(`${scratch.path}/${name}`, { bigint: true });
      return `${name} ${nlink} ${mode} ${name === "." ? "" : ctimeNs}`;
    });
    const etcNames = fs.readdirSync("/etc").filter((name) => /unbroken|localpasswd|emptied/.test(name));
    return [names, readTree(`${scratch.path}/victim`), fs.readdirSync(scratch.path), etcNames];
  }

  function briefTree(): Record<string, string> {
    const lines = Object.entries(readTree(root, { times: false })).map(([name, line]): [string, string] => {
      const [mode = "", , ...words] = line.split(" ");
      const content = words.join(" ");
      return [
        name,
        mode.startsWith("4") ? "folder" : content.startsWith('"') ? (JSON.parse(content) as string) : content,
      ];
    });
    return Object.fromEntries(lines);
  }

  it.each(rows)("onto a copy of what is below: %s", (_, below, entries, outcome) => {
    apply(root, archiveAt(below), deleting);
    const before = surroundings();
    const failure = failureOf(() => apply(root, archiveAt(entries), deleting));
    expect(surroundings()).toEqual(before);
    if (typeof outcome === "string") expect(failure?.code).toBe(outcome);
    else {
      expect(failure).toBeUndefined();
      const tree = briefTree();
      const expected = Object.entries(outcome).map(([name, text]) => [name, text && aimed(text)]);
      expect(Object.fromEntries(Object.keys(outcome).map((name) => [name, tree[name]]))).toEqual(
        Object.fromEntries(expected),
      );
    }
  });

  it.each(rows)("into overlay's own folder: %s", (_, below, entries, outcome) => {
    const before = surroundings();
    const failure = failureOf(() => apply(root, archiveAt([...below, ...entries]), overlay));
    expect(surroundings()).toEqual(before);
    expect(failure?.code).toBe(typeof outcome === "string" ? outcome : undefined);
  });

  it.each<[name: string, archive: Buffer, code: string]>([
    [
      "a NUL in a name",
      craftArchive(craftPax([["path", "a\0/../../victim/hello"]]), craftEntry({ name: "a" })),
      outside,
    ],
    [
      "a NUL in a target",
      craftArchive(craftPax([["linkpath", "a\0b"]]), craftEntry({ name: "l", typeFlag: "2", linkName: "a" })),
      outside,
    ],
    ["a device beyond 12 bits", craftArchive(device(4096, 0)), outside],
    ["a device beyond 20 bits", craftArchive(device(1, 2 ** 20)), outside],
    ["a negative size", craftArchive(craftEntry({ name: "f", size: "\xff".repeat(12) })), outside],
    [
      "a size of base 256 beyond all",
      craftArchive(craftEntry({ name: "f", size: `\x80\x7f${"\xff".repeat(10)}` })),
      outside,
    ],
    ["a size that is not a number", craftArchive(craftEntry({ name: "f", size: "99999999999\0" })), outside],
    ["a size beyond the archive", craftArchive(craftEntry({ name: "f", size: "77777777777\0" })), "DATA_LOSS"],
    [
      "PAX records of gigabytes",
      craftArchive(craftEntry({ name: "x", typeFlag: "x", size: "77777777777\0" })),
      outside,
    ],
    ["an owner that means nobody", craftArchive(craftPax([["uid", "4294967295"]]), craftEntry({ name: "f" })), outside],
    ["an entry of unknown type", craftArchive(craftEntry({ name: "f", typeFlag: "Z" })), outside],
    ["nothing at all", Buffer.alloc(0), outside],
  ])("or cannot be read: %s", (_, archive, code) => {
    const before = surroundings();
    for (const convention of [deleting, overlay]) {
      expect(failureOf(() => apply(root, archive, convention))?.code).toBe(code);
    }
    expect(surroundings()).toEqual(before);
  });

  it("or sets overlay's own attributes for a folder of its choice", () => {
    const names = ["trusted.overlay.redirect", "user.overlay.redirect", "trusted.overlay.opaque", "user.kept"];
    const xattrs = new Map(names.map((name) => [name, Buffer.from("/victim")]));
    apply(root, archiveOf({ ...folder("d"), xattrs }, { ...file("f"), xattrs }), overlay);
    const kept = `user.kept=${Buffer.from("/victim").toString("hex")}`;
    expect(Object.values(readTree(root)).map((line) => line.match(/\S+\.\S+=\S*/g))).toEqual([[kept], [kept]]);
  });

  it("or is cut off at any block, or followed by garbage", () => {
    const archive = archiveAt([folder("d"), file("d/f", "x".repeat(3000)), symlink("l", victim), hardlink("h", "d/f")]);
    const before = surroundings();
    for (let end = 512; end <= archive.length; end += 512) {
      const failure = failureOf(() => apply(root, archive.subarray(0, end)));
      expect([undefined, "DATA_LOSS"]).toContain(failure?.code);
      expect(failureOf(() => apply(root, archive.subarray(0, end - 1)))?.code ?? "DATA_LOSS").toBe("DATA_LOSS");
    }
    apply(root, Buffer.concat([archive, Buffer.from("garbage"), archive]));
    expect(surroundings()).toEqual(before);
  });

  /** A process that puts a symlink to the victim in the place of a folder and back, for as long as `act` runs. */
  async function whileSwapped(name: string, act: () => void): Promise<void> {
    const code = `
      const { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } = require("node:fs");
      const [place, aside, target] = process.argv.slice(1);
      process.stdout.write("ready");
      const quietly = (act) => { try { act(); } catch {} };
      for (;;) {
        quietly(() => rmSync(aside, { recursive: true }));
        quietly(() => renameSync(place, aside));
        quietly(() => symlinkSync(target, place));
        quietly(() => unlinkSync(place));
        quietly(() => renameSync(aside, place));
        quietly(() => mkdirSync(place));
      }`;
    const child = spawn(process.execPath, ["-e", code, `${root}/${name}`, `${root}/aside`, `${scratch.path}/victim`]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    try {
      act();
    } finally {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
  }

  it("while another process swaps a folder for a symlink to the victim", async () => {
    const entries = [
      { ...folder("swap"), mode: 0o777, uid: 5 },
      file("swap/hello", "broken"),
      { ...folder("swap/sub"), mode: 0o777, uid: 5 },
      file("swap/sub/hello", "broken"),
      hardlink("stolen", "swap/hello"),
      file("swap/.wh.link", ""),
      file("swap/.wh..wh..opq", ""),
      file(".wh.swap", ""),
    ];
    const before = surroundings();
    const outcomes = new Set<string | undefined>();
    await whileSwapped("swap", () => {
      // Until both processes have had their turns in between.
      for (let round = 0; round < 200 || (outcomes.size === 1 && round < 20_000); round++) {
        outcomes.add(failureOf(() => apply(root, archiveOf(...entries), round % 2 === 0 ? deleting : overlay))?.code);
      }
    });
    expect(surroundings()).toEqual(before);
    expect(outcomes.size).toBeGreaterThan(1);
  });

  it("while another process does that and the kernel cannot confine the path itself", async () => {
    fs.mkdirSync(`${root}/swap/sub`, { recursive: true });
    const victims = new Set([fs.statSync(`${scratch.path}/victim`, { bigint: true }).ino]);
    const descriptor = openPath(root, O_RDONLY | O_DIRECTORY);
    const found = { inside: 0, nowhere: 0 };
    await whileSwapped("swap", () => {
      for (let round = 0; round < 5000 || (found.nowhere === 0 && round < 500_000); round++) {
        const failure = failureOf(() => {
          const opened = openByWalk(descriptor, Buffer.from("swap"));
          expect(victims).not.toContain(fstat(opened).inode);
          close(opened);
        });
        found[failure === undefined ? "inside" : "nowhere"]++;
        expect(failure?.code ?? "ENOENT").toMatch(/^(ENOENT|ENOTDIR|EINVAL|ELOOP)$/);
      }
    });
    close(descriptor);
    expect(Math.min(found.inside, found.nowhere)).toBeGreaterThan(0);
  });
});

function device(major: number, minor: number): Buffer {
  return craftEntry({
    name: "dev",
    typeFlag: "3",
    magic: ustarMagic,
    deviceMajor: octal(major, 8),
    deviceMinor: octal(minor, 8),
  });
}
