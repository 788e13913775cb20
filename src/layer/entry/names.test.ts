import * as fc from "fast-check";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";

import { parseEntryName, showBytes } from "./entry-name.ts";
import { createIdMap, createIdMaps, maxId } from "./id-map.ts";
import { failureOf } from "../tree/trees.test.support.ts";
import { classifyEntry, reservedFolderOf } from "./whiteout.ts";

const parse = (name: string): string | undefined => {
  const parsed = parseEntryName(Buffer.from(name, "latin1"));
  return parsed && `${parsed.folder}|${parsed.base.toString("latin1")}`;
};

describe("an entry's name", () => {
  it.each([
    ["a", "|a"],
    ["a/", "|a"],
    ["a//", "|a"],
    ["./a", "|a"],
    ["/a", "|a"],
    ["a/b", "a|b"],
    ["a//b/./c", "a/b|c"],
    ["a/../b", "|b"],
    ["a/b/..", "|a"],
    ["/../../etc/passwd", "etc|passwd"],
    ["...", "|..."],
    ["..a/b..", "..a|b.."],
    ["caf\xe9/\xff", "caf\xe9|\xff"],
    ["a\\b\nc", "|a\\b\nc"],
    [".", undefined],
    ["./", undefined],
    ["/", undefined],
    ["//", undefined],
    ["a/..", undefined],
  ])("%j lies at %j", (name, expected) => {
    expect(parse(name)).toBe(expected);
  });

  it.each(["", "..", "../a", "a/../../b", "./../a", "a\0b", "a/\0"])("%j is refused", (name) => {
    expect(failureOf(() => parse(name))?.code).toBe("INVALID_ARGUMENT");
  });

  it("is cleaned as a path below / is", () => {
    const part = fc.constantFrom("", ".", "..", "...", "a", "b.c");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const name = `/${parts.join("/")}`;
        const cleaned = posix.normalize(name).replace(/\/$/, "").slice(1);
        expect((parse(name) ?? "|").replace(/^\|/, "").replace("|", "/")).toBe(cleaned);
      }),
    );
  });

  it("is shown as text, and cut off when long", () => {
    expect(showBytes("caf\xc3\xa9\n")).toBe('"caf\u00e9\\n"');
    expect(showBytes("x".repeat(100_000))).toMatch(/^"x{256}"… \(100000 bytes\)$/);
  });
});

describe("a last component", () => {
  it.each([
    ["file", "file"],
    [".wh", "file"],
    [".wh.a", "whiteout"],
    [".wh..a", "whiteout"],
    [".wh.\xff", "whiteout"],
    [".wh..wh..opq", "opaque"],
    [".wh..wh.plnk", "reserved"],
    [".wh..wh..opqx", "reserved"],
    [".wh..wh.", "reserved"],
  ])("%j is a %s", (base, role) => {
    const entry = classifyEntry(Buffer.from(base, "latin1"));
    expect(entry.role).toBe(role);
    if (entry.role === "whiteout") expect(entry.hidden.toString("latin1")).toBe(base.slice(4));
  });

  it.each([".wh.", ".wh..", ".wh..."])("%j hides no name and is refused", (base) => {
    expect(failureOf(() => classifyEntry(Buffer.from(base)))?.code).toBe("INVALID_ARGUMENT");
  });

  it("may lie below a reserved folder, at the root only", () => {
    expect([".wh..wh.plnk/1.2", ".wh..wh.aufs", "a/.wh..wh.plnk", ".wh.a"].map(reservedFolderOf)).toEqual([
      ".wh..wh.plnk",
      ".wh..wh.aufs",
      undefined,
      undefined,
    ]);
  });
});

describe("an id map", () => {
  const ranges = [
    { containerId: 0, hostId: 1000, size: 1 },
    { containerId: 1, hostId: 100_000, size: 65_535 },
  ];
  it("moves ids there and back", () => {
    const map = createIdMap(ranges, "uid");
    expect([map.hostRoot, map.toHost(1), map.toHost(65_535)]).toEqual([1000, 100_000, 165_534]);
    fc.assert(fc.property(fc.nat(65_535), (id) => map.toContainer(map.toHost(id)) === id));
  });

  it("refuses what it does not map", () => {
    const map = createIdMap(ranges, "uid");
    expect(failureOf(() => map.toHost(65_536))?.message).toContain("uid 65536 of the archive");
    expect(failureOf(() => map.toContainer(0))?.message).toContain("uid 0 on disk");
    expect(failureOf(() => createIdMap(ranges.slice(1), "gid"))?.code).toBe("INVALID_ARGUMENT");
  });

  it.each([
    { containerId: 0, hostId: maxId, size: 2 },
    { containerId: 0, hostId: 2 ** 32, size: 10 },
    { containerId: 0, hostId: -1, size: 10 },
    { containerId: 0, hostId: 0, size: 0 },
    { containerId: 0, hostId: 0.5, size: 1 },
  ])("refuses the range %j", (range) => {
    expect(failureOf(() => createIdMap([range], "uid"))?.code).toBe("INVALID_ARGUMENT");
  });

  it("without ranges leaves ids alone", () => {
    const { uids, gids } = createIdMaps({ uids: [], gids: [] });
    expect([uids.toHost(5), gids.toContainer(maxId), uids.hostRoot]).toEqual([5, maxId, 0]);
  });
});
