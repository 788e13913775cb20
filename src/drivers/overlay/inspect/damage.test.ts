import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareHome } from "../../../graphdriver/home/folders/home.ts";
import { createLayer } from "../layers/create-layer.ts";
import { linksFolder, readLayer } from "../layout/layout.ts";
import { checkStore, removeLayer, repairStore } from "./store-jobs.ts";
import { surveyStore } from "./survey.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-"));
  prepareHome(home, 0);
  mkdirSync(`${home}/${linksFolder}`);
  make("base");
  make("middle", "base");
  make("top", "middle");
});
afterEach(() => rmSync(home, { recursive: true }));

const owner = { rootUid: 0, rootGid: 0, durable: false, maxDepth: 128 };

/** A layer with a file in it. */
function make(id: string, parent?: string): void {
  createLayer(home, { id, parent, ...owner });
  writeFileSync(`${home}/${id}/diff/${id}`, id);
}

const at = (path: string): string => `${home}/${path}`;
const linkOf = (id: string): string => readFileSync(at(`${id}/link`), "utf8");
const kinds = () => checkStore(home).map(({ kind }) => kind);

function exchangeFolders(): void {
  renameSync(at("base"), at("spare"));
  renameSync(at("top"), at("base"));
  renameSync(at("spare"), at("top"));
}

/** Every layer is as it was made, as far as a mount would go. */
function expectSound(): void {
  for (const [id, below] of [
    ["base", 0],
    ["middle", 1],
    ["top", 2],
  ] as const) {
    const { link, lowers } = readLayer(home, id);
    expect(readlinkSync(at(`l/${link}`))).toBe(`../${id}/diff`);
    expect(lowers).toHaveLength(below);
    for (const lower of lowers) expect(existsSync(at(lower))).toBe(true);
    expect(readFileSync(at(`${id}/diff/${id}`), "utf8")).toBe(id);
    expect(existsSync(at(`${id}/work`))).toBe(below > 0);
  }
  createLayer(home, { id: "after", parent: "top", ...owner });
}

it("finds nothing in a store that is sound", () => {
  expect(checkStore(home)).toEqual([]);
  expect(repairStore(home)).toEqual({ repaired: [], left: [] });
});

describe("what is mended", () => {
  it.each<[string, string[], () => void]>([
    ["a link that is missing", ["link-missing"], () => unlinkSync(at(`l/${linkOf("middle")}`))],
    ["a link to nothing", ["link-dangling"], () => symlinkSync("../gone/diff", at("l/AAAA"))],
    ["a link out of the home", ["link-wrong"], () => symlinkSync("/etc", at(`l/${"A".repeat(26)}`))],
    ["a second link that nothing names", ["link-unused"], () => symlinkSync("../top/diff", at("l/AAAA"))],
    ["a link to another layer", ["link-wrong"], () => relink(linkOf("top"), "../base/diff")],
    ["a layer's link that leads out of the home", ["link-wrong"], () => relink(linkOf("top"), "/etc")],
    ["a link file that is missing", ["link-file-missing"], () => unlinkSync(at("middle/link"))],
    ["a link file with something else", ["link-file-missing"], () => writeFileSync(at("base/link"), "a:b\n")],
    ["a link file and its link", ["link-file-missing"], loseTopLink],
    ["a lower file of which a child tells", ["lower-missing"], () => unlinkSync(at("middle/lower"))],
    ["a lower file with something else", ["lower-damaged"], () => writeFileSync(at("middle/lower"), "l/../../etc")],
    ["a work folder", ["work-missing"], () => rmSync(at("top/work"), { recursive: true })],
    ["a mount point that is left", ["merged-left"], () => mkdirSync(at("top/merged"))],
    ["a layer without anything in it", ["half-made-layer"], () => mkdirSync(at("half"))],
    ["a layer without a link file", ["half-made-layer"], () => mkdirSync(at("half/diff"), { recursive: true })],
    ["a layer without its diff folder", ["half-made-layer"], () => loseDiff("half")],
    ["something staged", ["staged-left"], () => mkdirSync(at(".cleat/staging/x/deep"), { recursive: true })],
    ["something trashed", ["trash-left"], () => mkdirSync(at(".cleat/trash/x/deep"), { recursive: true })],
    ["counts of layers that are not mounted", ["counts-wrong"], () => writeCounts({ version: 1, counts: { top: 2 } })],
    ["counts that are none", ["counts-wrong"], () => writeCounts({ version: 1, counts: { top: -1, base: "many" } })],
    ["counts beyond counting", ["counts-wrong"], () => writeCounts({ version: 1, counts: { top: 1e300 } })],
    ["counts that are no record", ["record-damaged"], () => writeFileSync(at(".cleat/counts.json"), "{")],
    [
      "counts of more than a mebibyte",
      ["record-damaged"],
      () => writeFileSync(at(".cleat/counts.json"), " ".repeat(2e6)),
    ],
  ])("%s", (_, expected, harm) => {
    harm();
    expect(kinds()).toEqual(expected);
    const { repaired, left } = repairStore(home);
    expect(left).toEqual([]);
    expect(repaired.map(({ kind }) => kind)).toEqual(expect.arrayContaining(expected));
    expect(checkStore(home)).toEqual([]);
    expect(repairStore(home)).toEqual({ repaired: [], left: [] });
    expectSound();
  });

  it("a lost link file, with the link that other layers go by", () => {
    const link = linkOf("middle");
    symlinkSync("../middle/diff", at("l/AAAA"));
    unlinkSync(at("middle/link"));
    expect(repairStore(home).left).toEqual([]);
    expect(linkOf("middle")).toBe(link);
    expect(readdirSync(at("l"))).toHaveLength(3);
    expectSound();
  });

  it("two layers with one link, of which the link's own keeps it", () => {
    make("other");
    unlinkSync(at(`l/${linkOf("other")}`));
    writeFileSync(at("other/link"), linkOf("base"));
    expect(kinds()).toEqual(["link-shared"]);
    repairStore(home);
    expect(checkStore(home)).toEqual([]);
    expect(linkOf("other")).not.toBe(linkOf("base"));
    expectSound();
  });

  it("a layer that goes, and thereafter its link", () => {
    make("gone");
    rmSync(at("gone/diff"), { recursive: true });
    const { repaired, left } = repairStore(home);
    expect(left).toEqual([]);
    expect(repaired.map(({ kind }) => kind)).toContain("half-made-layer");
    expect(readdirSync(at("l"))).toHaveLength(3);
    expectSound();
  });

  function relink(name: string, target: string): void {
    unlinkSync(at(`l/${name}`));
    symlinkSync(target, at(`l/${name}`));
  }

  function loseTopLink(): void {
    unlinkSync(at(`l/${linkOf("top")}`));
    unlinkSync(at("top/link"));
  }

  function loseDiff(id: string): void {
    createLayer(home, { id, parent: "top", ...owner });
    rmSync(at(`${id}/diff`), { recursive: true });
    unlinkSync(at(`l/${linkOf(id)}`));
  }

  function writeCounts(value: object): void {
    writeFileSync(at(".cleat/counts.json"), JSON.stringify(value));
  }
});

describe("what is left alone, with the reason", () => {
  it.each<[string, string, RegExp, () => void]>([
    [
      "a diff that layers lie on",
      "diff-missing",
      /layers lie on it: "middle"/,
      () => rmSync(at("base/diff"), { recursive: true }),
    ],
    ["a diff that is a symlink", "diff-missing", /never followed/, () => symlinkDiff("linked")],
    ["a lower file of which nobody tells", "lower-missing", /no layer on it tells/, () => unlinkSync(at("top/lower"))],
    [
      "a list of layers that are gone",
      "lower-dangling",
      /cannot be made/,
      () => writeFileSync(at("top/lower"), "l/GONE"),
    ],
    [
      "a mount point that somebody wrote to",
      "merged-left",
      /holds something/,
      () => mkdirSync(at("top/merged/x"), { recursive: true }),
    ],
    [
      "an empty layer whose mount point was written to",
      "half-made-layer",
      /holds something/,
      () => mkdirSync(at("half/merged/x"), { recursive: true }),
    ],
    [
      "a folder that only looks like half a layer, as a volume of Docker's",
      "half-made-layer",
      /holds "_data", which is not the driver's/,
      () => mkdirSync(at("half/_data/precious"), { recursive: true }),
    ],
    ["folders that were exchanged", "link-wrong", /another layer's/, exchangeFolders],
    [
      "a layer that lies on more than its parent does",
      "misfit",
      /somebody to say/,
      () => writeFileSync(at("middle/lower"), `${readFileSync(at("middle/lower"), "utf8")}:l/${linkOf("base")}`),
    ],
    ["a folder among the links", "link-wrong", /not a link/, () => mkdirSync(at("l/AAAA"))],
    ["somebody else's symlink", "link-wrong", /no driver names/, () => symlinkSync("/etc", at("l/libc.so"))],
    ["a file in the home", "stray", /not the driver's/, () => writeFileSync(at("notes"), "")],
    ["a symlink in the home", "stray", /not the driver's/, () => symlinkSync("/etc", at("escape"))],
    [
      "a name that is not UTF-8",
      "stray",
      /not the driver's/,
      () => mkdirSync(Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff, 0x1b])])),
    ],
    [
      "a driver's record of a later version",
      "record-other-version",
      /later Cleat/,
      () => writeFileSync(at(".cleat/driver.json"), '{"version":2}'),
    ],
    [
      "a driver's record that is damaged",
      "record-damaged",
      /somebody to say/,
      () => writeFileSync(at(".cleat/driver.json"), "overlay2"),
    ],
    [
      "a driver's record that is not a file",
      "record-damaged",
      /somebody to say/,
      () => symlinkSync("/etc/hostname", at(".cleat/driver.json")),
    ],
    [
      "counts of a later version",
      "record-other-version",
      /later Cleat/,
      () => writeFileSync(at(".cleat/counts.json"), '{"version":2}'),
    ],
    [
      "an archive's record of a later version",
      "record-other-version",
      /later Cleat/,
      () => writeExact('{"version":7}'),
    ],
    ["an archive's record that is damaged", "record-damaged", /another one/, () => writeExact("{")],
    ["an archive's record without its data", "record-damaged", /another one/, () => writeExact('{"version":1}')],
    [
      "a folder in the place of a record",
      "record-damaged",
      /another one/,
      () => mkdirSync(at("top/exact/record.json"), { recursive: true }),
    ],
  ])("%s", (_, kind, obstacle, harm) => {
    harm();
    const { repaired, left } = repairStore(home);
    expect(repaired).toEqual([]);
    const found = left.find((finding) => finding.kind === kind);
    expect(found?.obstacle).toMatch(obstacle);
    expect(kinds()).toEqual(left.map((finding) => finding.kind));
  });

  it("a staging folder that is a symlink, and nothing behind it is touched", () => {
    const outside = mkdtempSync(join(tmpdir(), "cleat-"));
    try {
      writeFileSync(join(outside, "precious"), "");
      rmSync(at(".cleat/staging"), { recursive: true });
      symlinkSync(outside, at(".cleat/staging"));
      expect(kinds()).toEqual(["own-folder-wrong"]);
      expect(repairStore(home)).toMatchObject({ repaired: [], left: [{ kind: "own-folder-wrong" }] });
      expect(readdirSync(outside)).toEqual(["precious"]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  function symlinkDiff(id: string): void {
    mkdirSync(at(id));
    symlinkSync("/etc", at(`${id}/diff`));
  }

  function writeExact(text: string): void {
    mkdirSync(at("top/exact"));
    writeFileSync(at("top/exact/record.json"), text);
  }
});

describe("a survey", () => {
  it("tells parents, roles and what is half made", () => {
    createLayer(home, { id: "c-init", parent: "top", ...owner });
    createLayer(home, { id: "c", parent: "c-init", ...owner });
    mkdirSync(at("half"));
    const { layers } = surveyStore(home, "overlay2");
    expect(layers.map(({ id, parent, role, condition }) => [id, parent, role, condition])).toEqual([
      ["base", undefined, "image", "whole"],
      ["c", "c-init", "container", "whole"],
      ["c-init", "top", "init", "whole"],
      ["half", undefined, "unknown", "half-made"],
      ["middle", "base", "image", "whole"],
      ["top", "middle", "image", "whole"],
    ]);
  });

  it("tells that a parent is missing", () => {
    removeLayer(home, "base");
    const missing = surveyStore(home, "overlay2").layers.filter(({ parentage }) => parentage === "missing");
    expect(missing.map(({ id }) => id)).toEqual(["middle", "top"]);
  });

  it("does not read through symlinks where small files should be", () => {
    unlinkSync(at("top/link"));
    symlinkSync("/etc/passwd", at("top/link"));
    expect(JSON.stringify(checkStore(home))).not.toContain("root:");
  });
});
