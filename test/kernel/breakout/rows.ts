/**
 * Archives that try to leave the folder they are unpacked in. The names in capitals are those of containerd v1.6.20
 * `archive/tar_test.go` `TestBreakouts` (all 34) and of moby/go-archive `archive_test.go`, `diff_test.go`; what is
 * expected is our own.
 */
import type { Entry } from "../../../src/layer/tree/trees.test.support.ts";

export const folder = (name: string): Entry => ({ type: "directory", name });
export const file = (name: string, content = "new"): Entry => ({ name, content });
export const symlink = (name: string, linkName: string): Entry => ({ type: "symlink", name, linkName });
export const hardlink = (name: string, linkName: string): Entry => ({ type: "hardlink", name, linkName });

const etc = [folder("etc"), file("etc/passwd", "inside")];
const localetc = [folder("etc"), file("etc/passwd", "inside"), folder("localetc")];
/** Stands for the victim's absolute path in link targets. */
export const victim = "VICTIM";

/** A code, or what is there afterwards: content, "-> target", "is first-name", "folder", or nothing for undefined. */
export type Outcome = string | Record<string, string | undefined>;
export type Row = readonly [name: string, below: readonly Entry[], entries: readonly Entry[], outcome: Outcome];

export const outside = "INVALID_ARGUMENT";
const linked = { "etc/passwd": "inside", localpasswd: "is etc/passwd" };
const unbroken = { "etc/unbroken": "new" };

export const rows: readonly Row[] = [
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

  [
    "InvalidHardlink: link to what was not linked",
    [],
    [hardlink("loophole", "../victim"), symlink("s", "loophole/hello")],
    outside,
  ],
  ["InvalidHardlink: remove", [], [hardlink("loophole", "../victim"), file("loophole")], outside],
  ["InvalidSymlink: read", [], [symlink("dotdot", "../victim/hello")], { dotdot: "-> ../victim/hello" }],
  [
    "InvalidSymlink: read through another",
    [],
    [symlink("loophole", "../victim"), symlink("s", "loophole/hello")],
    { s: "-> loophole/hello" },
  ],
  ["InvalidSymlink: hard link below", [], [symlink("loophole", "../victim"), hardlink("h", "loophole/hello")], outside],

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
