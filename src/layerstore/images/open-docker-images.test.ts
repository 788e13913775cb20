/** On Node 20 a thread cannot load TypeScript, so the package is the built one. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, closeSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import type * as Drivers from "../../drivers/index.ts";
import type * as LayerStore from "../index.ts";

const built = (room: string) => import(new URL(`../../../dist/${room}/index.js`, import.meta.url).href);
const { vfs } = (await built("drivers")) as typeof Drivers;
const { openDockerImages } = (await built("layerstore")) as typeof LayerStore;

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "cleat-")));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const archive = "the archive";
const diffId = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
const layer = { diffId, chainId: diffId, id: "abc" };
const segment = { type: 2, payload: Buffer.from(archive).toString("base64"), position: 0 };
const data = gzipSync(JSON.stringify(segment));
const dataPath = `image/vfs/layerdb/${diffId.replace(":", "/")}/tar-split.json.gz`;

function writeRoot(): void {
  mkdirSync(join(root, "vfs/dir/abc"), { recursive: true });
  mkdirSync(join(root, "image/vfs/imagedb"), { recursive: true });
  write(dataPath, data);
}

const open = (options: object = {}) => openDockerImages({ root, drivers: [vfs], ...options });

async function readAll(images: LayerStore.DockerImages): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of images.archive(layer)) parts.push(part);
  return Buffer.concat(parts).toString();
}

it("makes a layer's archive again, from the tree where the driver has it", async () => {
  writeRoot();
  await using images = open();
  expect(images).toMatchObject({ root, driver: "vfs", home: join(root, "vfs") });
  expect(await readAll(images)).toBe(archive);
  rmSync(join(root, "vfs/dir/abc"), { recursive: true });
  await expect(readAll(images)).rejects.toMatchObject({ code: "DATA_LOSS" });
});

it("can be broken off", async () => {
  writeRoot();
  await using images = open();
  for await (const _ of images.archive(layer)) break;
});

it("refuses what is no data root, or one where it is not clear what is meant", () => {
  expect(() => open()).toThrow(`folder "${root}" is no data root of Docker's with images`);
  expect(() => open({ root: join(root, "gone") })).toThrow(`data root "${root}/gone" does not exist`);
  write("file", "");
  expect(() => open({ root: join(root, "file") })).toThrow(`data root "${root}/file" is not a folder`);
  writeRoot();
  mkdirSync(join(root, "image/zfs/imagedb"), { recursive: true });
  mkdirSync(join(root, "zfs/graph"), { recursive: true });
  expect(() => open()).toThrow(`data root "${root}" has images of vfs, zfs; say which driver is meant`);
  expect(() => open({ driver: "aufs" })).toThrow(`data root "${root}" has images of vfs, zfs, and none of "aufs"`);
  expect(() => open({ driver: "zfs" })).toThrow('layers of driver "zfs" cannot be read');
  expect(() => open({ driver: "vfs", home: join(root, "zfs") })).toThrow('layers of driver "zfs" cannot be read');
});

it("says who has a file of the data root open", async () => {
  writeRoot();
  await using images = open();
  await images.assertAtRest();
  const file = openSync(join(root, dataPath), "r");
  const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", file] });
  closeSync(file);
  try {
    await once(child, "spawn");
    const message = `data root "${root}" is in use: process ${child.pid} (sleep) has "${join(root, dataPath)}" open`;
    await expect(images.assertAtRest()).rejects.toThrow(message);
  } finally {
    child.kill();
    await once(child, "exit");
  }
});
