import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Mount } from "../snapshotter.ts";
import { planApply } from "./apply-target.ts";
import { detectCompression, compressionOf } from "./media-types.ts";
import { planDiff } from "./plan-diff.ts";

const layer = (id: number) => `/root/${id}/diff`;
const bind = (id: number, ...options: string[]): Mount[] => [
  { type: "bind", source: layer(id), options: ["rbind", ...options] },
];
const overlay = (...options: string[]): Mount[] => [{ type: "overlay", source: "overlay", options }];
const lowerdir = (...ids: number[]) => `lowerdir=${ids.map(layer).join(":")}`;
const writable = (upper: number, ...lowers: number[]) =>
  overlay("index=off", `workdir=/root/${upper}/work`, `upperdir=${layer(upper)}`, lowerdir(...lowers));
const isOurs = (folder: string) => /^\/root\/\d+\/diff$/.test(folder);

describe("a diff", () => {
  it.each<readonly [string, Mount[], Mount[], number, number[]]>([
    ["an active one on its parent", overlay(lowerdir(2, 1)), writable(3, 2, 1), 3, [2, 1]],
    ["an active one on its only parent", bind(1, "ro"), writable(2, 1), 2, [1]],
    ["a committed one on its parent", overlay(lowerdir(2, 1)), overlay(lowerdir(3, 2, 1)), 3, [2, 1]],
  ])("of %s reads the layer alone", (_, older, newer, upper, lowers) => {
    expect(planDiff(older, newer, isOurs)).toEqual({
      kind: "layer",
      upper: layer(upper),
      lowers: lowers.map(layer),
      attributePrefix: "trusted.",
    });
  });

  it.each<readonly [string, Mount[], Mount[]]>([
    ["other parents", overlay(lowerdir(4, 1)), writable(3, 2, 1)],
    ["parents in another order", overlay(lowerdir(1, 2)), writable(3, 2, 1)],
    ["a layer further down", bind(1, "ro"), writable(3, 2, 1)],
    ["nothing in common", bind(9, "ro"), bind(1, "rw")],
    [
      "an option that is not known",
      overlay(lowerdir(2, 1)),
      overlay(`upperdir=${layer(3)}`, lowerdir(2, 1), "metacopy=on"),
    ],
    ["renamed folders", overlay(lowerdir(2, 1)), overlay(`upperdir=${layer(3)}`, lowerdir(2, 1), "redirect_dir=on")],
    ["books of another kind", overlay(lowerdir(2, 1)), overlay("userxattr", `upperdir=${layer(3)}`, lowerdir(2, 1))],
    ["a second mount", overlay(lowerdir(2, 1)), [...writable(3, 2, 1), ...bind(5)]],
    [
      "a mount below the mount point",
      overlay(lowerdir(2, 1)),
      writable(3, 2, 1).map((one) => ({ ...one, target: "x" })),
    ],
  ])("with %s walks both trees", (_, older, newer) => {
    expect(planDiff(older, newer, isOurs).kind).toBe("trees");
  });

  it("opens no folder that is not the store's", () => {
    const foreign: Mount[] = [{ type: "bind", source: "/etc", options: ["rbind"] }];
    expect(planDiff(foreign, bind(1, "rw"), isOurs)).toEqual({
      kind: "trees",
      older: { mounts: foreign },
      newer: { folder: layer(1) },
    });
    const mixed = overlay(`upperdir=${layer(3)}`, "lowerdir=/etc");
    expect(planDiff(foreign, mixed, isOurs)).toMatchObject({ newer: { mounts: mixed }, older: { mounts: foreign } });
  });
});

describe("an archive", () => {
  const whiteouts = { kind: "overlay", attributePrefix: "trusted." };
  it.each<readonly [string, Mount[], object]>([
    ["a first layer", bind(1, "rw"), { folder: layer(1), whiteouts: { kind: "delete" }, lowers: undefined }],
    ["a further one", writable(3, 2, 1), { folder: layer(3), whiteouts, lowers: [layer(2), layer(1)] }],
    ["one without its parent", overlay(`upperdir=${layer(3)}`), { folder: layer(3), whiteouts, lowers: undefined }],
  ])("is unpacked into %s where that lies", (_, mounts, target) => {
    expect(planApply(mounts, isOurs)).toEqual(target);
  });

  it.each<readonly [string, Mount[]]>([
    ["a read-only mount", bind(1, "ro")],
    ["a view of several layers", overlay(lowerdir(2, 1))],
    ["a folder elsewhere", [{ type: "bind", source: "/etc", options: ["rbind", "rw"] }]],
    ["a lower layer elsewhere", overlay(`upperdir=${layer(3)}`, "lowerdir=/etc")],
    ["no mount", []],
  ])("is not unpacked into %s", (_, mounts) => {
    expect(() => planApply(mounts, isOurs)).toThrow(expect.objectContaining({ code: "UNIMPLEMENTED" }));
  });

  it("is what it begins with, whatever it is called", () => {
    expect(detectCompression(Buffer.from("1f8b08", "hex"))).toBe("gzip");
    expect(detectCompression(Buffer.from("etc/"))).toBe("none");
    expect(detectCompression(new Uint8Array(0))).toBe("none");
    const zstd = () => detectCompression(Buffer.from("28b52ffd", "hex"));
    if ("createZstdDecompress" in zlib) expect(zstd()).toBe("zstd");
    else expect(zstd).toThrow(expect.objectContaining({ code: "UNIMPLEMENTED" }));
  });

  it.each(["application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "text/plain", "__proto__", "constructor"])(
    "of type %s is not known",
    (type) => {
      expect(() => compressionOf(type)).toThrow(expect.objectContaining({ code: "UNIMPLEMENTED" }));
    },
  );
});
