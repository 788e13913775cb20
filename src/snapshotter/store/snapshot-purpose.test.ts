import { describe, expect, it } from "vitest";
import { isUnpackKey, maxSizeOf, useOf } from "./snapshot-purpose.ts";

const uids = { "containerd.io/snapshot/uidmapping": "0:100000:65536" };
const gids = { "containerd.io/snapshot/gidmapping": "0:200000:65536" };
const ref = { "containerd.io/snapshot.ref": "sha256:x" };

describe("a size", () => {
  it.each([
    ["1", 1],
    ["1048576", 1_048_576],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("is %s", (text, bytes) => {
    expect(maxSizeOf({ "containerd.io/snapshot/max-size": text })).toBe(bytes);
  });

  it.each([
    "",
    "0",
    "-1",
    "+1",
    "01",
    "1.5",
    "1e6",
    "0x10",
    "5Gi",
    "5 ",
    " 5",
    "9007199254740993",
    "9".repeat(400),
    "NaN",
  ])("is none of %j: it is a hint", (text) => {
    expect(maxSizeOf({ "containerd.io/snapshot/max-size": text })).toBeUndefined();
  });

  it("is none of no label", () => {
    expect(maxSizeOf({})).toBeUndefined();
  });
});

describe("what a snapshot is for", () => {
  it.each([
    ["of both labels", { ...uids, ...gids }, { uids: "0:100000:65536", gids: "0:200000:65536" }],
    ["of users alone, which is half of it, for the storage to refuse", uids, { uids: "0:100000:65536", gids: "" }],
    ["of groups alone", gids, { uids: "", gids: "0:200000:65536" }],
    ["of no label", {}, undefined],
  ])("ids are mapped as told: %s", (_, labels, remap) => {
    expect(useOf({ name: "c", kind: "active", labels }).remap).toEqual(remap);
  });

  it.each([
    ["active", "default/1/extract-1 sha256:x", ref, true],
    ["active", "default/1/extract-1 sha256:x", {}, false],
    ["active", "default/1/c1", ref, false],
    ["view", "default/1/extract-1 sha256:x", ref, false],
  ] as const)("%s %s", (kind, name, labels, isUnpacked) => {
    expect(useOf({ name, kind, labels })).toMatchObject({ isUnpacked, isReadOnly: kind === "view" });
  });

  it.each([
    ["default/12/extract-1-abc sha256:x", true],
    ["default/12/extract-", true],
    ["a/b/extract-x/y", true],
    ["extract-1", false],
    ["default/extract-1", false],
    ["default/extract-1/c", false],
    ["default/1/2/extract-1", false],
    ["default/1/Extract-1", false],
    ["", false],
  ])("of %j is to be unpacked into: %s", (key, isIt) => {
    expect(isUnpackKey(key)).toBe(isIt);
  });
});
