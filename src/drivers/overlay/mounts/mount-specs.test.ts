import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareHome } from "../../../graphdriver/home/folders/home.ts";
import { createLayer } from "../layers/create-layer.ts";
import { linksFolder, readLayer } from "../layout/layout.ts";
import { assertNameable, mountSpecOf, type OverlayMounter } from "./mount-specs.ts";

let home: string;
beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
  mkdirSync(`${home}/${linksFolder}`);
});
afterEach(() => rmSync(home, { recursive: true }));

const mounter: OverlayMounter = { type: "overlay", switches: ["index=off"], maxLayers: 500 };
const make = (id: string, parent?: string): void =>
  void createLayer(home, { id, parent, rootUid: 0, rootGid: 0, durable: false, maxDepth: 500 });
const specOf = (id: string, readOnly = false) => mountSpecOf(home, id, readOnly, mounter);

it("spells a mount as containerd's own snapshotter does", () => {
  make("1");
  expect(specOf("1")).toEqual({ type: "bind", source: `${home}/1/diff`, options: ["rw", "rbind"] });
  expect(specOf("1", true)).toEqual({ type: "bind", source: `${home}/1/diff`, options: ["ro", "rbind"] });
  make("2", "1");
  make("3", "2");
  expect(specOf("3")).toEqual({
    type: "overlay",
    source: "overlay",
    options: [
      "index=off",
      `workdir=${home}/3/work`,
      `upperdir=${home}/3/diff`,
      `lowerdir=${home}/2/diff:${home}/1/diff`,
    ],
  });
  expect(specOf("3", true)).toEqual({
    type: "overlay",
    source: "overlay",
    options: ["index=off", `lowerdir=${home}/3/diff:${home}/2/diff:${home}/1/diff`],
  });
});

it("lets nobody write to a layer on which others lie", () => {
  make("1");
  make("2", "1");
  expect(() => specOf("1")).toThrow('layer "1" cannot be mounted to be written to: another layer was laid on it');
  expect(specOf("1", true).type).toBe("bind");
});

it("names no folder to which a damaged link leads", () => {
  make("1");
  make("2", "1");
  const { link } = readLayer(home, "1");
  for (const target of ["/etc", "../../etc", "../1/../2/diff", "../1/work"]) {
    unlinkSync(`${home}/l/${link}`);
    symlinkSync(target, `${home}/l/${link}`);
    expect(() => specOf("2")).toThrow(`layer "2" lies on "l/${link}", which leads to ${JSON.stringify(target)}`);
  }
  unlinkSync(`${home}/l/${link}`);
  expect(() => specOf("2")).toThrow("lies on a layer that is gone");
});

it("refuses more layers than one mount takes, and longer names", () => {
  make("1");
  make("2", "1");
  expect(() => mountSpecOf(home, "2", true, { ...mounter, maxLayers: 1 })).toThrow(
    'layer "2" is too deep for one mount: 2 layers, more than 1',
  );
  const long = "x".repeat(120);
  let top = "1";
  for (let at = 0; at < 34; at++) {
    make(`${long}${at}`, top);
    top = `${long}${at}`;
  }
  expect(() => specOf(top)).toThrow(/too deep for one mount: 34 layers, whose names take \d+ of 4095 bytes/);
});

it("refuses a home that options cannot name", () => {
  const odd = `${home}/a,b`;
  prepareHome(odd, 0);
  mkdirSync(`${odd}/${linksFolder}`);
  for (const [id, parent] of [["1"], ["2", "1"]] as const)
    createLayer(odd, { id, parent, rootUid: 0, rootGid: 0, durable: false, maxDepth: 500 });
  expect(mountSpecOf(odd, "1", true, mounter).source).toBe(`${odd}/1/diff`);
  expect(() => mountSpecOf(odd, "2", true, mounter)).toThrow(
    'cannot be named in the options of a mount, as it holds ","',
  );
});

it("tells before the first layer whether a home can be named with many", () => {
  for (const bad of ["/a,b", "/a:b", "/a\\b", `/${"long/".repeat(200)}`]) {
    expect(() => assertNameable(bad)).toThrow("cannot be named in the options of a mount");
  }
  assertNameable("/var/lib/containerd/io.containerd.snapshotter.v1.cleat");
});

it("says what is missing or damaged", () => {
  expect(() => specOf("nobody")).toThrow('layer "nobody" does not exist');
  make("1");
  writeFileSync(`${home}/1/lower`, "/etc:l/A");
  expect(() => specOf("1")).toThrow("damaged lower file");
});
