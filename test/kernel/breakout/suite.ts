/** What becomes of the rows, whichever way names are confined: `openat2`, or the walk where the kernel has none. */
import * as fs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";

import {
  archiveChanges,
  archiveDifference,
  copyTree,
  findChangesDepthFirst,
  removeTree,
} from "../../../src/layer/index.ts";
import {
  apply,
  archive,
  archiveOf,
  deleting,
  failureOf,
  overlay,
  readTree,
} from "../../../src/layer/tree/trees.test.support.ts";
import { withFolderAt } from "../../../src/layer/tree/with-folder.ts";
import {
  craftArchive,
  craftEntry,
  craftPax,
  octal,
  ustarMagic,
} from "../../../src/tar/reading/crafted.test.support.ts";
import { file, folder, hardlink, outside, rows, symlink, victim } from "./rows.ts";
import { makeScene, type Scene, secret } from "./scene.ts";

export function defineBreakouts(): void {
  let scene: Scene;
  beforeEach(() => {
    scene = makeScene();
  });
  afterEach(() => scene.remove());

  function briefTree(): Record<string, string> {
    const lines = Object.entries(readTree(scene.root, { times: false })).map(([name, line]): [string, string] => {
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
    apply(scene.root, scene.archiveAt(below), deleting);
    const before = scene.surroundings();
    const failure = failureOf(() => apply(scene.root, scene.archiveAt(entries), deleting));
    expect(scene.surroundings()).toEqual(before);
    if (typeof outcome === "string") expect(failure?.code).toBe(outcome);
    else {
      expect(failure).toBeUndefined();
      const tree = briefTree();
      const expected = Object.entries(outcome).map(([name, text]) => [name, text && scene.aimed(text)]);
      expect(Object.fromEntries(Object.keys(outcome).map((name) => [name, tree[name]]))).toEqual(
        Object.fromEntries(expected),
      );
    }
  });

  it.each(rows)("into overlay's own folder: %s", (_, below, entries, outcome) => {
    const before = scene.surroundings();
    const failure = failureOf(() => apply(scene.root, scene.archiveAt([...below, ...entries]), overlay));
    expect(scene.surroundings()).toEqual(before);
    expect(failure?.code).toBe(typeof outcome === "string" ? outcome : undefined);
  });

  it.each(rows)("and what it left is archived, compared, copied and removed: %s", (_, below, entries) => {
    const [copy, empty] = [`${scene.path}/copy`, `${scene.path}/empty`];
    for (const made of [copy, empty]) fs.mkdirSync(made);
    for (const convention of [deleting, overlay]) {
      failureOf(() => apply(scene.root, scene.archiveAt([...below, ...entries]), convention));
      const before = scene.surroundings();
      const bytes = [
        archive(scene.root, convention),
        ...withFolderAt(scene.root, (root) => withFolderAt(empty, (older) => archivesBeyond(root, older))),
      ];
      for (const one of bytes) expect(one.includes(secret)).toBe(false);
      withFolderAt(scene.root, (from) => withFolderAt(copy, (to) => copyTree(from, to)));
      expect(readTree(copy)).toEqual(readTree(scene.root));
      for (const full of [copy, scene.root]) empties(full);
      expect(scene.surroundings()).toEqual(before);
    }
  });

  function empties(full: string): void {
    withFolderAt(full, (opened) => {
      for (const name of fs.readdirSync(full, "buffer")) removeTree(opened, name);
    });
    expect(fs.readdirSync(full)).toEqual([]);
  }

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
  ])("or cannot be read: %s", (_, bytes, code) => {
    const before = scene.surroundings();
    for (const convention of [deleting, overlay]) {
      expect(failureOf(() => apply(scene.root, bytes, convention))?.code).toBe(code);
    }
    expect(scene.surroundings()).toEqual(before);
  });

  it("or sets overlay's own attributes for a folder of its choice", () => {
    const names = ["trusted.overlay.redirect", "user.overlay.redirect", "trusted.overlay.opaque", "user.kept"];
    const xattrs = new Map(names.map((name) => [name, Buffer.from("/victim")]));
    apply(scene.root, archiveOf({ ...folder("d"), xattrs }, { ...file("f"), xattrs }), overlay);
    const kept = `user.kept=${Buffer.from("/victim").toString("hex")}`;
    expect(Object.values(readTree(scene.root)).map((line) => line.match(/\S+\.\S+=\S*/g))).toEqual([[kept], [kept]]);
  });

  it("or is cut off at any block, or followed by garbage", () => {
    const bytes = scene.archiveAt([
      folder("d"),
      file("d/f", "x".repeat(3000)),
      symlink("l", victim),
      hardlink("h", "d/f"),
    ]);
    const before = scene.surroundings();
    for (let end = 512; end <= bytes.length; end += 512) {
      const failure = failureOf(() => apply(scene.root, bytes.subarray(0, end)));
      expect([undefined, "DATA_LOSS"]).toContain(failure?.code);
      expect(failureOf(() => apply(scene.root, bytes.subarray(0, end - 1)))?.code ?? "DATA_LOSS").toBe("DATA_LOSS");
    }
    apply(scene.root, Buffer.concat([bytes, Buffer.from("garbage"), bytes]));
    expect(scene.surroundings()).toEqual(before);
  });
}

/** As Docker and as containerd archive what a tree has beyond another. */
function archivesBeyond(newer: number, older: number): Buffer[] {
  const written: Buffer[] = [];
  const sink = { write: (bytes: Uint8Array) => void written.push(Buffer.from(bytes)) };
  const noIds = { uids: [], gids: [] };
  archiveDifference(newer, older, sink, { whiteouts: deleting, ids: noIds, archiveDialect: "docker-26" });
  archiveChanges(findChangesDepthFirst(newer, older), newer, sink);
  return [Buffer.concat(written)];
}

function device(major: number, minor: number): Buffer {
  return craftEntry({
    name: "dev",
    typeFlag: "3",
    magic: ustarMagic,
    deviceMajor: octal(major, 8),
    deviceMinor: octal(minor, 8),
  });
}
