/** Every kind of file that a layer can bring. */
import { type ArchiveEntry, device, fifo, file, folder, hardLink, symlink } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { diffsMadeAnew, hostRoot, root } from "../../needs.ts";

/** `VFS_CAP_REVISION_2`, effective, CAP_NET_RAW permitted. Source: capabilities(7), `linux/capability.h` v6.1. */
export const netRaw = Buffer.from("0100000200200000000000000000000000000000", "hex");
const notUtf8 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Within what xfs keeps: symlinks of 1,023 bytes, device numbers of 9 and 18 bits. Source: Linux v6.1 `fs/xfs`. */
export type FileKind = readonly [
  id: string,
  title: string,
  entries: readonly ArchiveEntry[],
  needs?: GraphDriverCheck["needs"],
];

export const fileKinds: readonly FileKind[] = [
  [
    "files",
    "files, empty and larger than any buffer",
    [file("empty"), file("a", "a"), file("big", Buffer.alloc(2 ** 21, "big"))],
  ],
  [
    "setuid",
    "setuid and setgid bits",
    [
      file("su", "x", { mode: 0o4755 }),
      file("sg", "x", { mode: 0o2711 }),
      folder("d", { mode: 0o2775 }),
      file("d/in", "x"),
    ],
  ],
  ["sticky", "sticky bits", [folder("tmp", { mode: 0o1777 }), file("tmp/f", "x", { mode: 0o1644 })]],
  [
    "no-permission",
    "files and folders that their mode closes",
    [folder("d", { mode: 0 }), file("f", "x", { mode: 0 })],
    root,
  ],
  [
    "owners",
    "owners, large ids too",
    [
      file("f", "x", { uid: 1000, gid: 2000 }),
      file("su", "x", { uid: 7, gid: 8, mode: 0o6755 }),
      folder("d", { uid: 4_000_000_000, gid: 65_534 }),
      symlink("l", "f", { uid: 5, gid: 6 }),
    ],
    hostRoot,
  ],
  [
    "devices",
    "devices",
    [
      folder("dev"),
      device("character-device", "dev/null", [1, 3], { mode: 0o666 }),
      device("block-device", "dev/loop", [7, 300], { mode: 0o660, gid: 6 }),
      device("character-device", "dev/far", [511, 262_143]),
    ],
    hostRoot,
  ],
  ["fifo", "FIFOs", [fifo("pipe", { mode: 0o622 })]],
  [
    "symlinks",
    "symlinks: relative, absolute, dangling, long",
    [
      symlink("a", "b"),
      symlink("abs", "/etc/passwd"),
      symlink("up", "../../../.."),
      symlink("long", "x".repeat(1000)),
      symlink("bytes", notUtf8("\xff\xfe")),
    ],
  ],
  [
    "hard-links",
    "hard links, to files and to symlinks",
    [
      folder("d"),
      file("a", "shared"),
      hardLink("d/b", "a"),
      hardLink("c", "d/b"),
      symlink("s", "a"),
      hardLink("s2", "s"),
      file("z", "alone"),
    ],
  ],
  [
    "user-xattrs",
    "extended attributes, binary and empty",
    [
      file("f", "x", { xattrs: { "user.bin": Buffer.from([0, 255, 10, 61]), "user.empty": Buffer.alloc(0) } }),
      folder("d", { xattrs: { "user.d": Buffer.from("1") } }),
    ],
  ],
  [
    "capability",
    "file capabilities",
    [
      file("ping", "x", { xattrs: { "security.capability": netRaw } }),
      file("owned", "x", { uid: 9, gid: 9, xattrs: { "security.capability": netRaw } }),
    ],
    root,
  ],
  [
    "trusted-xattrs",
    "attributes that only root sees, on symlinks and devices too",
    [
      file("f", "x", { xattrs: { "trusted.t": Buffer.from("t") } }),
      symlink("l", "f", { xattrs: { "trusted.l": Buffer.from("l") } }),
      fifo("p", { xattrs: { "trusted.p": Buffer.from("p") } }),
    ],
    hostRoot,
  ],
  [
    "times",
    "times to the nanosecond, before 1970 and after 2038",
    [
      file("ns", "x", { mtimeSeconds: 1_500_000_000, mtimeNanoseconds: 123_456_789 }),
      file("old", "x", { mtimeSeconds: -1_000_000, mtimeNanoseconds: 1 }),
      file("late", "x", { mtimeSeconds: 4_000_000_000 }),
      folder("d", { mtimeSeconds: 77, mtimeNanoseconds: 7 }),
      file("d/in", "x"),
      symlink("l", "ns", { mtimeSeconds: 99, mtimeNanoseconds: 9 }),
      fifo("p", { mtimeSeconds: 5, mtimeNanoseconds: 5 }),
    ],
  ],
  [
    "names",
    "names that are not UTF-8, with spaces, line breaks, colons, dots",
    [
      file(notUtf8("caf\xe9"), "x"),
      file(notUtf8("\xff\xfe\x80"), "x"),
      file("naïve", "x"),
      file("a b\nc\t\\d", "x"),
      file("a:b,c=d", "x"),
      file("..a", "x"),
      file("...", "x"),
      file("-rf", "x"),
      folder(notUtf8("\xc3(")),
      file(notUtf8("\xc3(/\xa9"), "x"),
    ],
  ],
  [
    "long-names",
    "names of 255 bytes",
    [file("n".repeat(255), "x"), folder("f".repeat(255)), file(`${"f".repeat(255)}/${"g".repeat(255)}`, "x")],
  ],
  ["deep", "paths of 3,000 bytes", [file(`${"folder-of-nineteen/".repeat(157)}file`, "deep"), symlink("s", "x")]],
  [
    "implied-parents",
    "parents that no entry announced, made with mode 0755",
    [file("a/b/c/d", "x"), folder("e/f"), symlink("g/h", "i")],
  ],
  [
    "late-parents",
    "folders announced after what lies in them",
    [
      file("a/b/c", "x"),
      folder("a/b", { mode: 0o700, mtimeSeconds: 4 }),
      folder("a", { mode: 0o711, mtimeSeconds: 5 }),
    ],
  ],
  [
    "duplicates",
    "names that come several times, the last of which counts",
    [
      file("x", "file"),
      folder("x"),
      file("x/in", "in"),
      symlink("x", "y"),
      file("x", "last"),
      folder("y"),
      file("y/kept", "k"),
      folder("y", { mode: 0o700 }),
      file("z", "1"),
      hardLink("w", "z"),
      file("z", "2"),
    ],
    diffsMadeAnew,
  ],
  ["dotted", "names that begin with ./", [folder("./d"), file("./d/f", "x"), hardLink("./d/g", "./d/f")]],
];
