import * as fs from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { S_IFIFO, S_IFMT } from "../../syscall/index.ts";
import { apply, archive, archiveOf, type Entry, failureOf, readTree, useScratch } from "../tree/trees.test.support.ts";

const scratch = useScratch();
const directory = (name: string, given: Partial<Entry> = {}): Entry => ({ type: "directory", ...given, name });
const file = (name: string, content = name, given: Partial<Entry> = {}): Entry => ({ content, ...given, name });
const symlink = (name: string, linkName: string): Entry => ({ type: "symlink", name, linkName });
const hardlink = (name: string, linkName: string): Entry => ({ type: "hardlink", name, linkName });

/** What is in a folder after archives were applied one upon the other, a word for each name. */
function treeAfter(...archives: readonly Buffer[]): Record<string, string> {
  const root = scratch.folder("root");
  for (const bytes of archives) apply(root, bytes);
  return brief(root);
}

function brief(root: string): Record<string, string> {
  const words = Object.entries(readTree(root, { times: false })).map(([name, line]): [string, string] => {
    const [mode = "", , ...content] = line.split(" ");
    return [name, mode.startsWith("4") ? "folder" : content.join(" ")];
  });
  return Object.fromEntries(words);
}

const content = (text: string): string => JSON.stringify(text);

describe("applying an archive", () => {
  it("makes files of each kind with all that it says of them", () => {
    const root = scratch.folder("root");
    const size = apply(
      root,
      archiveOf(
        directory("d", { mode: 0o2750, mtimeSeconds: 5, mtimeNanoseconds: 6 }),
        file("d/f", "content", { mode: 0o4711, mtimeSeconds: -3, mtimeNanoseconds: 999_999_999 }),
        symlink("d/l", "\xff/nowhere"),
        { ...hardlink("h", "d/f"), mode: 0o4711, mtimeSeconds: -3, mtimeNanoseconds: 999_999_999 },
        { type: "fifo", name: "p", mode: 0o6640, mtimeSeconds: 1 },
        file("caf\xe9", ""),
      ),
    );
    expect(size).toBe(7 + 9);
    const owner = `${process.getuid?.()}:${process.getgid?.()}`;
    expect(readTree(root)).toEqual({
      "caf\xe9": `100644 ${owner} 0 ""`,
      d: `42750 ${owner} 5000000006 `,
      "d/f": `104711 ${owner} -2000000001 "content"`,
      "d/l": `120777 ${owner} 0 -> \xff/nowhere`,
      h: `104711 ${owner} -2000000001 is d/f`,
      p: `16640 ${owner} 1000000000 device 0`,
    });
    expect(fs.lstatSync(`${root}/p`).mode & S_IFMT).toBe(S_IFIFO);
  });

  it("gives folders their modes and times last, also those that their owner may not write to", () => {
    const root = scratch.folder("root");
    const closed = { mode: 0o555, mtimeSeconds: 77 };
    apply(root, archiveOf(directory("a", closed), directory("a/b", closed), file("a/b/c"), file("a/d")));
    for (const path of [`${root}/a`, `${root}/a/b`]) {
      expect(fs.statSync(path)).toMatchObject({ mtimeMs: 77_000, mode: 0o40555 });
    }
  });

  it("makes the folders that no entry announced", () => {
    expect(treeAfter(archiveOf(file("a/b/c/d"), directory("a", { mode: 0o711 })))).toEqual({
      a: "folder",
      "a/b": "folder",
      "a/b/c": "folder",
      "a/b/c/d": content("a/b/c/d"),
    });
    expect(fs.statSync(scratch.path("root/a")).mode & 0o777).toBe(0o711);
    expect(fs.statSync(scratch.path("root/a/b")).mode & 0o777).toBe(0o755);
  });

  it("follows symlinks of the layer within the layer", () => {
    const links = archiveOf(directory("usr/lib"), symlink("lib", "/usr/lib"), symlink("up", "../../usr/./lib/.."));
    expect(treeAfter(links, archiveOf(file("lib/a"), file("up/b"), file("up/lib/c")))).toMatchObject({
      lib: "-> /usr/lib",
      "usr/lib/a": content("lib/a"),
      "usr/b": content("up/b"),
      "usr/lib/c": content("up/lib/c"),
    });
  });

  it("keeps holes", () => {
    const root = scratch.folder("root");
    const source = scratch.path("sparse");
    const descriptor = fs.openSync(source, "w");
    fs.writeSync(descriptor, "at a megabyte", 2 ** 20);
    fs.ftruncateSync(descriptor, 2 ** 23);
    fs.closeSync(descriptor);
    apply(root, sparseArchive(2 ** 20, "at a megabyte", 2 ** 23));
    expect(fs.readFileSync(`${root}/sparse`).equals(fs.readFileSync(source))).toBe(true);
    expect(fs.statSync(`${root}/sparse`).blocks * 512).toBeLessThan(2 ** 20);
  });

  it("reads to the archive's own end and reports a truncated one", () => {
    const bytes = archiveOf(file("a", "x".repeat(1000)));
    const root = scratch.folder("root");
    expect(failureOf(() => apply(root, bytes.subarray(0, 1000)))?.code).toBe("DATA_LOSS");
  });

  it("names the entry that the kernel refused", () => {
    const root = scratch.folder("root");
    const failure = failureOf(() => apply(root, archiveOf(file("n".repeat(256)))));
    expect(failure?.code).toBe("INVALID_ARGUMENT");
    expect(failure?.message).toMatch(/^entry "n{239}/);
  });
});

/** `sparse` of GNU's PAX format 1.0, whose map comes before the data. */
function sparseArchive(offset: number, data: string, sizeBytes: number): Buffer {
  const map = `2\n${offset}\n${data.length}\n${sizeBytes}\n0\n`.padEnd(512, "\0");
  const records = [
    "GNU.sparse.major=1",
    "GNU.sparse.minor=0",
    "GNU.sparse.name=sparse",
    `GNU.sparse.realsize=${sizeBytes}`,
  ].map((record) => `${record.length + 4} ${record}\n`);
  const pax = archiveOf({ name: "pax", content: records.join("") }).subarray(0, -1024);
  pax.write("x", 156);
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += at >= 148 && at < 156 ? 0x20 : (pax[at] ?? 0);
  pax.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([pax, archiveOf({ name: "GNUSparseFile.0/sparse", content: map + data })]);
}

describe("a name that is taken", () => {
  it.each([
    ["a file by a file", [file("a", "1")], file("a", "2"), { a: content("2") }],
    ["a file by a folder", [file("a")], directory("a"), { a: "folder" }],
    ["a folder by a file", [directory("a"), file("a/b")], file("a", "2"), { a: content("2") }],
    ["a folder by a symlink to another", [directory("b"), file("a/c")], symlink("a", "b"), { a: "-> b", b: "folder" }],
    ["a symlink by a folder", [directory("b"), symlink("a", "b")], directory("a"), { a: "folder", b: "folder" }],
    ["a symlink by a file", [file("b"), symlink("a", "b")], file("a", "2"), { a: content("2"), b: content("b") }],
    ["a file by a hard link", [file("a"), file("b")], hardlink("b", "a"), { a: content("a"), b: "is a" }],
    ["a file by a FIFO", [file("a")], { type: "fifo", name: "a" } as Entry, { a: "device 0" }],
    [
      "a folder by a folder, whose content stays",
      [file("a/b")],
      directory("a"),
      { a: "folder", "a/b": content("a/b") },
    ],
  ])("gives way: %s, of a lower layer or of its own", (_, first, second, expected) => {
    expect(treeAfter(archiveOf(...first), archiveOf(second))).toEqual(expected);
    fs.renameSync(scratch.path("root"), scratch.path("first"));
    expect(treeAfter(archiveOf(...first, second))).toEqual(expected);
  });

  it("gives way while paths through it are kept open", () => {
    const entries = [file("a/b/f"), directory("c/b"), symlink("a", "c"), file("a/b/g"), directory("a"), file("a/b/h")];
    expect(treeAfter(archiveOf(...entries))).toEqual({
      a: "folder",
      "a/b": "folder",
      "a/b/h": content("a/b/h"),
      c: "folder",
      "c/b": "folder",
      "c/b/g": content("a/b/g"),
    });
  });

  it("does not make a layer's size that of everything below it", () => {
    const root = scratch.folder("root");
    apply(root, archiveOf(file("a", "x".repeat(1000)), file("b", "y".repeat(1000))));
    expect(apply(root, archiveOf(file("a", "12345")))).toBe(5);
  });

  it("is not a target of a hard link when it is a folder, missing or the root", () => {
    const root = scratch.folder("root");
    const link = (target: string): string | undefined =>
      failureOf(() => apply(root, archiveOf(directory("d"), hardlink("h", target))))?.code;
    expect(["d", ".", "missing", "d/missing", "../h", ""].map(link)).toEqual([
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "NOT_FOUND",
      "NOT_FOUND",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
    ]);
  });
});

describe("hard links", () => {
  it("go where they should when the folder they are made in is the next to be closed", () => {
    // As many folders as are kept open at once, so that the target's takes the place of the one used first.
    const folders = Array.from({ length: 256 }, (_, index) => `d${index}`);
    const made = [directory("t"), file("t/f", "target"), ...folders.map((folder) => directory(folder))];
    const files = folders.map((folder) => file(`${folder}/f`, ""));
    const links = folders.slice(0, 3).map((folder) => hardlink(`${folder}/h`, "t/f"));
    expect(treeAfter(archiveOf(...made, ...files, ...links))).toMatchObject({
      "d0/h": content("target"),
      "d1/h": "is d0/h",
      "d2/h": "is d0/h",
    });
  });

  it("link a symlink itself, never what it points to", () => {
    const tree = treeAfter(archiveOf(file("f"), symlink("l", "f"), hardlink("h", "l")));
    expect(tree).toEqual({ f: content("f"), h: "-> f", l: "is h" });
  });

  it("say anew what their file is, as to Docker and containerd", () => {
    const root = scratch.folder("root");
    const anew = {
      mode: 0o4750,
      mtimeSeconds: 9,
      mtimeNanoseconds: 8,
      xattrs: new Map([["user.k", Buffer.from("v")]]),
    };
    apply(
      root,
      archiveOf(
        file("f", "f", { mtimeSeconds: 5, xattrs: new Map([["user.first", Buffer.from("1")]]) }),
        { ...symlink("l", "f"), mtimeSeconds: 5 },
        { ...hardlink("h", "f"), ...anew },
        { ...hardlink("hl", "l"), mode: 0o600, mtimeSeconds: 9 },
      ),
    );
    const owner = `${process.getuid?.()}:${process.getgid?.()}`;
    expect(readTree(root)).toEqual({
      f: `104750 ${owner} 9000000008 "f" user.first=31 user.k=76`,
      h: `104750 ${owner} 9000000008 is f user.first=31 user.k=76`,
      hl: `120777 ${owner} 9000000000 -> f`,
      l: `120777 ${owner} 9000000000 is hl`,
    });
  });

  it("are names and no more in an archive that is no layer", () => {
    const root = scratch.folder("root");
    const bytes = archiveOf(file("f", "f", { mode: 0o640, mtimeSeconds: 5 }), { ...hardlink("h", "f"), mode: 0o4755 });
    apply(root, bytes, { kind: "none" });
    expect(readTree(root)["h"]).toContain(" 5000000000 is f");
    expect(fs.statSync(`${root}/f`).mode & 0o7777).toBe(0o640);
  });

  it("into the books of aufs find their files, which are no part of the layer", () => {
    const books = [
      directory(".wh..wh.aufs"),
      file(".wh..wh.plnk/1.2", "linked", { mode: 0o600 }),
      file(".wh..wh.orph/x"),
    ];
    const root = scratch.folder("root");
    apply(root, archiveOf(...books, hardlink("f", ".wh..wh.plnk/1.2")));
    expect(brief(root)).toEqual({ f: content("linked") });
    expect(fs.statSync(`${root}/f`).mode & 0o7777).toBe(0o600);
  });
});

describe("deletions from a copy of the lower layers", () => {
  const lower = archiveOf(file("d/a"), file("d/b/c"), file("e"), symlink("l", "d"));
  it.each([
    ["a file", [file("d/.wh.a", "")], ["d", "d/b", "d/b/c", "e", "l"]],
    ["a folder", [file("d/b/.wh.c", ""), file("d/.wh.b", "")], ["d", "d/a", "e", "l"]],
    ["what was never there", [file("d/.wh.x", ""), file(".wh.y", "")], ["d", "d/a", "d/b", "d/b/c", "e", "l"]],
    ["a name, then made anew", [file(".wh.d", ""), file("d/n")], ["d", "d/n", "e", "l"]],
    ["a name that was made before", [file("d/n"), file(".wh.d", "")], ["d", "d/n", "e", "l"]],
    ["all in a folder", [file("d/.wh..wh..opq", "")], ["d", "e", "l"]],
    ["all in a folder, after files of it", [file("d/n"), file("d/.wh..wh..opq", "")], ["d", "d/n", "e", "l"]],
    ["all in a folder, before", [file("d/.wh..wh..opq", ""), file("d/b/n")], ["d", "d/b", "d/b/n", "e", "l"]],
    ["all there is", [file("n"), file(".wh..wh..opq", "")], ["n"]],
    ["through a symlink", [file("l/.wh.a", ""), file("l/.wh..wh..opq", "")], ["d", "e", "l"]],
    ["the symlink, not what it points to", [file(".wh.l", "")], ["d", "d/a", "d/b", "d/b/c", "e"]],
  ])("of %s", (_, entries, expected) => {
    expect(Object.keys(treeAfter(lower, archiveOf(...entries)))).toEqual(expected);
  });

  it("by a character device 0/0 too", () => {
    const device: Entry = { type: "character-device", name: "d/a" };
    expect(Object.keys(treeAfter(lower, archiveOf(device)))).toEqual(["d", "d/b", "d/b/c", "e", "l"]);
  });
});

describe("an archive of what was applied", () => {
  const names = fc.constantFrom("a", "b", "c\xff", "d", "name with blanks", "n".repeat(120));
  const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const entry: fc.Arbitrary<Entry> = fc.record({
    name: path,
    type: fc.constantFrom("file", "file", "directory", "symlink", "fifo"),
    linkName: path,
    content: fc.string({ maxLength: 3 }),
    // What its owner may not read only root can archive.
    mode: fc.nat(0o7777).map((mode) => (process.getuid?.() === 0 ? mode : mode | 0o700)),
    mtimeSeconds: fc.integer({ min: -10, max: 2 ** 34 }),
  });

  it("is the same however often it is applied and archived again", () => {
    let run = 0;
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 15 }), (entries) => {
        const [first, second] = [scratch.folder(`${++run}-first`), scratch.folder(`${run}-second`)];
        const fitting = entries.map((one) => ({ ...one, content: one.type === "file" ? (one.content ?? "") : "" }));
        // Some of them stand in each other's way: whatever could be made of them is what is archived.
        for (const one of fitting) failureOf(() => apply(first, archiveOf(one)));
        const bytes = archive(first);
        apply(second, bytes);
        expect(archive(second).equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
