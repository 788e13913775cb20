/** Every kind of file that a layer can bring, alone and over a layer that has the name already. */
import { ok } from "node:assert/strict";
import { lstatSync } from "node:fs";
import { joinArchive, padded, paxHeader, rawHeader } from "../../archive/index.ts";
import { type ArchiveEntry, device, fifo, file, folder, hardLink, symlink } from "../../archive/entry.ts";
import { assertSameTree } from "../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../check.ts";
import type { GraphDriverContext } from "../context.ts";
import { applyArchive, makeEmptyLayer, makeLayer, readLayer, visitLayer } from "../layers.ts";
import { root } from "../needs.ts";

/** `VFS_CAP_REVISION_2`, effective, CAP_NET_RAW permitted. Source: capabilities(7), `linux/capability.h` v6.1. */
const netRaw = Buffer.from("0100000200200000000000000000000000000000", "hex");
const notUtf8 = (text: string): Buffer => Buffer.from(text, "latin1");

type Row = [id: string, title: string, entries: readonly ArchiveEntry[], needs?: GraphDriverCheck["needs"]];

const kinds: readonly Row[] = [
  ["files", "files, empty and larger than any buffer", [file("empty"), file("a", "a"), file("big", Buffer.alloc(2 ** 21, "big"))]],
  ["setuid", "setuid and setgid bits", [file("su", "x", { mode: 0o4755 }), file("sg", "x", { mode: 0o2711 }), folder("d", { mode: 0o2775 }), file("d/in", "x")]],
  ["sticky", "sticky bits", [folder("tmp", { mode: 0o1777 }), file("tmp/f", "x", { mode: 0o1644 })]],
  ["no-permission", "files and folders that their mode closes", [folder("d", { mode: 0 }), file("f", "x", { mode: 0 })]],
  ["owners", "owners, large ids too", [file("f", "x", { uid: 1000, gid: 2000 }), file("su", "x", { uid: 7, gid: 8, mode: 0o6755 }), folder("d", { uid: 4_000_000_000, gid: 65_534 }), symlink("l", "f", { uid: 5, gid: 6 })], root],
  ["devices", "devices", [folder("dev"), device("character-device", "dev/null", [1, 3], { mode: 0o666 }), device("block-device", "dev/loop", [7, 300], { mode: 0o660, gid: 6 }), device("character-device", "dev/far", [4095, 1_048_575])], root],
  ["fifo", "FIFOs", [fifo("pipe", { mode: 0o622 })]],
  ["symlinks", "symlinks: relative, absolute, dangling, long", [symlink("a", "b"), symlink("abs", "/etc/passwd"), symlink("up", "../../.."), symlink("long", "x".repeat(3000)), symlink("bytes", notUtf8("\xff\xfe"))]],
  ["hard-links", "hard links, to files and to symlinks", [folder("d"), file("a", "shared"), hardLink("d/b", "a"), hardLink("c", "d/b"), symlink("s", "a"), hardLink("s2", "s"), file("z", "alone")]],
  ["user-xattrs", "extended attributes, binary and empty", [file("f", "x", { xattrs: { "user.bin": Buffer.from([0, 255, 10, 61]), "user.empty": Buffer.alloc(0) } }), folder("d", { xattrs: { "user.d": Buffer.from("1") } })]],
  ["capability", "file capabilities", [file("ping", "x", { xattrs: { "security.capability": netRaw } }), file("owned", "x", { uid: 9, gid: 9, xattrs: { "security.capability": netRaw } })], root],
  ["trusted-xattrs", "attributes that only root sees, on symlinks and devices too", [file("f", "x", { xattrs: { "trusted.t": Buffer.from("t") } }), symlink("l", "f", { xattrs: { "trusted.l": Buffer.from("l") } }), fifo("p", { xattrs: { "trusted.p": Buffer.from("p") } })], root],
  ["times", "times to the nanosecond, before 1970 and after 2038", [file("ns", "x", { mtimeSeconds: 1_500_000_000, mtimeNanoseconds: 123_456_789 }), file("old", "x", { mtimeSeconds: -1_000_000, mtimeNanoseconds: 1 }), file("late", "x", { mtimeSeconds: 4_000_000_000 }), folder("d", { mtimeSeconds: 77, mtimeNanoseconds: 7 }), file("d/in", "x"), symlink("l", "ns", { mtimeSeconds: 99, mtimeNanoseconds: 9 }), fifo("p", { mtimeSeconds: 5, mtimeNanoseconds: 5 })]],
  ["names", "names that are not UTF-8, with spaces, line breaks, colons, dots", [file(notUtf8("caf\xe9"), "x"), file(notUtf8("\xff\xfe\x80"), "x"), file("naïve", "x"), file("a b\nc\t\\d", "x"), file("a:b,c=d", "x"), file("..a", "x"), file("...", "x"), file("-rf", "x"), folder(notUtf8("\xc3(")), file(notUtf8("\xc3(/\xa9"), "x")]],
  ["long-names", "names of 255 bytes", [file("n".repeat(255), "x"), folder("f".repeat(255)), file(`${"f".repeat(255)}/${"g".repeat(255)}`, "x")]],
  ["deep", "paths of 3,000 bytes", [file(`${"folder-of-nineteen/".repeat(157)}file`, "deep"), symlink("s", "x")]],
  ["implied-parents", "parents that no entry announced, made with mode 0755", [file("a/b/c/d", "x"), folder("e/f"), symlink("g/h", "i")]],
  ["late-parents", "folders announced after what lies in them", [file("a/b/c", "x"), folder("a/b", { mode: 0o700, mtimeSeconds: 4 }), folder("a", { mode: 0o711, mtimeSeconds: 5 })]],
  ["duplicates", "names that come several times, the last of which counts", [file("x", "file"), folder("x"), file("x/in", "in"), symlink("x", "y"), file("x", "last"), folder("y"), file("y/kept", "k"), folder("y", { mode: 0o700 }), file("z", "1"), hardLink("w", "z"), file("z", "2")]],
  ["dotted", "names that begin with ./", [folder("./d"), file("./d/f", "x"), hardLink("./d/g", "./d/f")]],
];

export const fileKindChecks: readonly GraphDriverCheck[] = [
  ...kinds.map(
    ([id, title, entries, needs]): GraphDriverCheck => ({
      id: `apply/${id}`,
      title: `applyDiff keeps ${title}`,
      ...(needs && { needs }),
      run: (context) => assertApplied(context, entries),
    }),
  ),
  {
    id: "apply/over-lower",
    title: "applyDiff replaces files of the layer below, whatever their kinds",
    async run(context) {
      const below = [file("to-folder", "f"), folder("to-file"), file("to-file/x", "x"), symlink("to-real", "to-file"), file("mode", "m"), folder("d", { mode: 0o700 }), file("d/stays", "s"), file("linked", "l"), hardLink("linked-too", "linked")];
      const above = [folder("to-folder"), file("to-folder/in", "i"), file("to-file", "now a file"), folder("to-real"), file("to-real/in", "i"), file("mode", "m", { mode: 0o600 }), folder("d", { mode: 0o750 }), file("d/more", "m"), file("linked", "no more")];
      const replay = await context.newReplay();
      replay.apply(below);
      replay.apply(above);
      const image = await makeLayer(context, undefined, below);
      const id = await makeLayer(context, image, above);
      assertSameTree(await readLayer(context, id), replay.tree(), "layer");
    },
  },
  {
    id: "apply/implied-parent-of-lower",
    title: "a folder of the layer below that the archive only implies keeps its mode and owner",
    source: "containerd v1.6.20 archive/tar.go mkparent",
    async run(context) {
      const below = [folder("tmp", { mode: 0o1777 }), folder("private", { mode: 0o700 }), folder("gone"), file("gone/x", "x")];
      const above = [file("tmp/new", "x"), file("private/deep/new", "x"), file("gone/.wh.x", "")];
      const replay = await context.newReplay();
      replay.apply(below);
      replay.apply(above);
      const id = await makeLayer(context, await makeLayer(context, undefined, below), above);
      assertSameTree(await readLayer(context, id), replay.tree(), "layer");
    },
  },
  {
    id: "apply/sparse",
    title: "applyDiff reads a sparse file and leaves its holes",
    async run(context) {
      const sizeBytes = 2 ** 24;
      const data = Buffer.alloc(4096, "data");
      const map = padded(Buffer.from(`1\n${sizeBytes / 2}\n${data.length}\n`));
      const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "holes", "GNU.sparse.realsize": String(sizeBytes) };
      const header = rawHeader({ name: "GNUSparseFile.0/holes", typeFlag: "0", size: map.length + data.length });
      const id = await makeEmptyLayer(context);
      await applyArchive(context, id, undefined, joinArchive([paxHeader(records), header, map, padded(data)]));

      const whole = Buffer.alloc(sizeBytes);
      data.copy(whole, sizeBytes / 2);
      const replay = await context.newReplay();
      replay.apply([file("holes", whole, { mtimeSeconds: 0 })]);
      assertSameTree(await readLayer(context, id), replay.tree(), "layer");
      const blocks = await visitLayer(context, id, (path) => lstatSync(`${path}/holes`).blocks);
      ok(blocks * 512 < sizeBytes / 2, `${blocks * 512} bytes are allocated for ${data.length} bytes of data`);
    },
  },
];

async function assertApplied(context: GraphDriverContext, entries: readonly ArchiveEntry[]): Promise<void> {
  const replay = await context.newReplay();
  replay.apply(entries);
  const id = await makeLayer(context, undefined, entries);
  assertSameTree(await readLayer(context, id), replay.tree(), "layer");
  // A container sees it through whatever the driver puts over it.
  const child = await makeEmptyLayer(context, id);
  assertSameTree(await readLayer(context, child), replay.tree(), "layer on top");
}
