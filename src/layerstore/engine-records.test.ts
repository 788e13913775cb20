import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as fileSystem from "node:fs";
import { readEngineRecords } from "./engine-records.ts";

/** A server or a program that keeps the files may give fewer bytes at once than it is asked for. */
const reading = vi.hoisted(() => ({ maxBytes: Infinity }));
vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof fileSystem>();
  const readSync = (file: number, buffer: Buffer, offset: number, length: number, position: number | null) =>
    original.readSync(file, buffer, offset, Math.min(length, reading.maxBytes), position);
  return { ...original, readSync };
});
afterEach(() => {
  reading.maxBytes = Infinity;
});

let root: string;
let home: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cleat-"));
  home = join(root, "overlay2");
  mkdirSync(home);
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

it("knows nothing where there is no engine", () => {
  expect(readEngineRecords(home, [])).toBe(undefined);
  expect(readEngineRecords(home, [], "/nonexistent")).toBe(undefined);
});

describe("Docker's records", () => {
  const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
  const diffs = ["base", "top"].map((name) => `sha256:${sha(name)}`);
  const chains = [diffs[0] as string, `sha256:${sha(diffs.join(" "))}`];
  const layerdb = "image/overlay2/layerdb";
  const folderOf = (chain: string | undefined): string => `${layerdb}/${chain?.replace(":", "/")}`;

  beforeEach(() => {
    for (const [at, name] of ["base", "top"].entries()) {
      write(`${folderOf(chains[at])}/cache-id`, `${name}-cache`);
      write(`${folderOf(chains[at])}/diff`, diffs[at] as string);
    }
    write(`${folderOf(chains[1])}/parent`, chains[0] as string);
    write(
      "image/overlay2/repositories.json",
      JSON.stringify({ Repositories: { box: { "box:latest": "sha256:1234" } } }),
    );
    write("image/overlay2/imagedb/content/sha256/1234", JSON.stringify({ rootfs: { diff_ids: diffs } }));
    write(`${layerdb}/mounts/0123456789abcdef/mount-id`, "c");
    write(`${layerdb}/mounts/0123456789abcdef/init-id`, "c-init");
    write(`${layerdb}/mounts/0123456789abcdef/parent`, chains[1] as string);
  });

  it("give each layer its role, its parent and its names", () => {
    write("containers/0123456789abcdef/config.v2.json", JSON.stringify({ Name: "/web" }));
    expect(Object.fromEntries(readEngineRecords(home, [])?.layers ?? [])).toEqual({
      "base-cache": { role: "image", parent: undefined, names: [diffs[0]?.slice(0, 19)] },
      "top-cache": { role: "image", parent: "base-cache", names: ["box:latest", diffs[1]?.slice(0, 19)] },
      "c-init": { role: "init", parent: "top-cache", names: ["web"] },
      c: { role: "container", parent: "c-init", names: ["web"] },
    });
  });

  it("are read although parts are missing, damaged or hostile", () => {
    write("image/overlay2/repositories.json", "{");
    write(`${layerdb}/mounts/half/parent`, "sha256:gone");
    write(`${layerdb}/sha256/half/parent`, "sha256:gone");
    mkdirSync(join(root, `${layerdb}/sha256/linked`));
    symlinkSync("/etc/hostname", join(root, `${layerdb}/sha256/linked/cache-id`));
    const { layers } = readEngineRecords(home, []) ?? {};
    expect([...(layers?.keys() ?? [])].toSorted()).toEqual(["base-cache", "c", "c-init", "top-cache"]);
    expect(layers?.get("c")?.names).toEqual(["0123456789ab"]);
  });

  it("name nothing where a list of tags is none", () => {
    write("image/overlay2/repositories.json", JSON.stringify({ Repositories: { gone: null, odd: 1 } }));
    expect(readEngineRecords(home, [])?.layers.get("top-cache")?.names).toEqual([diffs[1]?.slice(0, 19)]);
  });

  it("name nothing by an image that lies elsewhere than with the images", () => {
    write("elsewhere", JSON.stringify({ rootfs: { diff_ids: diffs } }));
    const digests = ["sha256:../../../../../elsewhere", "sha256:../sha256/1234"];
    const box = Object.fromEntries(digests.map((digest, at) => [`box:${at}`, digest]));
    write("image/overlay2/repositories.json", JSON.stringify({ Repositories: { box } }));
    expect(readEngineRecords(home, [])?.layers.get("top-cache")?.names).toEqual([diffs[1]?.slice(0, 19)]);
  });

  it("take a layer for known while it is pulled, and while a build names it", () => {
    write(`${layerdb}/tmp/write-set-1/cache-id`, "pulled");
    write(
      "buildkit/snapshots.db",
      Buffer.concat([Buffer.alloc((4 << 20) - 3), Buffer.from("built"), Buffer.alloc(99)]),
    );
    const { layers } = readEngineRecords(home, ["built", "lost", "c"]) ?? {};
    expect(layers?.get("pulled")?.names).toEqual(["being made"]);
    expect(layers?.get("built")?.names).toEqual(["build cache"]);
    expect(layers?.has("lost")).toBe(false);
    reading.maxBytes = 100_003;
    expect(readEngineRecords(home, ["built"])?.layers.has("built")).toBe(true);
  });
});

it("reads the lists of containers/storage", () => {
  const list = (path: string, rows: object[]): void => write(path, JSON.stringify(rows));
  list("overlay-layers/layers.json", [
    { id: "a", "diff-digest": "sha256:00112233445566778899" },
    { id: "b", parent: "a" },
  ]);
  list("overlay-images/images.json", [{ layer: "a", names: ["localhost/box:latest"] }]);
  list("overlay-containers/containers.json", [{ layer: "b", names: ["web"] }]);
  // Of containers that are removed when they end.
  list("overlay-layers/volatile-layers.json", [{ id: "c", parent: "a" }]);
  list("overlay-containers/volatile-containers.json", [{ layer: "c", names: ["once"] }]);
  const records = readEngineRecords(join(root, "overlay"), []);
  expect(records?.engine).toBe("containers-storage");
  expect(Object.fromEntries(records?.layers ?? [])).toEqual({
    a: { role: "image", parent: undefined, names: ["localhost/box:latest", "sha256:001122334455"] },
    b: { role: "container", parent: "a", names: ["web"] },
    c: { role: "container", parent: "a", names: ["once"] },
  });
});
