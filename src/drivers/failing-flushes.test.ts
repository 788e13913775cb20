/** A flush that fails, whichever it is: who is told of it finds nothing done, and can make the call again. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SystemError } from "../errors/index.ts";
import { prepareHome } from "../graphdriver/home/folders/home.ts";
import type * as syscalls from "../syscall/index.ts";
import { buildArchive, file } from "../testing/index.ts";
import { createRing, createSyncRingWriter, type Ring } from "../workers/index.ts";
import * as overlayApply from "./overlay/diffs/apply-diff.ts";
import * as overlayCreate from "./overlay/layers/create-layer.ts";
import { linksFolder } from "./overlay/layout/layout.ts";
import { rebaseLayer } from "./overlay/layers/rebase-layer.ts";
import * as vfsApply from "./vfs/apply-diff.ts";
import * as vfsCreate from "./vfs/create-layer.ts";
import { exactDiffsFolder, fillingFolder, layersFolder, unfilledFolder } from "./vfs/layout.ts";

/**
 * The n-th flush fails, once; none does while it is 0. Of a home that hands its project on, staging does, too: ext4
 * exchanges nothing between it and a folder of a layer with a project of its own. Source: Linux v6.1
 * `fs/ext4/namei.c` `ext4_cross_rename`.
 */
const flushes = vi.hoisted(() => ({ failing: 0, count: 0, handsProjectOn: false }));
vi.mock("../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const wrap = (call: (descriptor: number) => void) => (descriptor: number) => {
    if (++flushes.count === flushes.failing) throw new SystemError(constants.errno.EIO, "fsync");
    call(descriptor);
  };
  const renameat2: typeof original.renameat2 = (from, name, to, newName, flag) => {
    const isRefused = flushes.handsProjectOn && flag === original.RENAME_EXCHANGE && String(name).includes("staging");
    if (isRefused) throw new SystemError(constants.errno.EXDEV, "renameat2", name);
    original.renameat2(from, name, to, newName, flag);
  };
  return { ...original, renameat2, fsync: wrap(original.fsync), syncfs: wrap(original.syncfs) };
});

let home: string;
beforeEach(() => void (home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0)));
afterEach(() => {
  Object.assign(flushes, { failing: 0, handsProjectOn: false });
  rmSync(home, { recursive: true });
});

const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const ids = { uids: [{ containerId: 0, hostId: uid, size: 1 }], gids: [{ containerId: 0, hostId: gid, size: 1 }] };
const owner = { rootUid: uid, rootGid: gid };
const applyOptions = {
  ids,
  durability: "layer",
  strictAttributes: false,
  userNamespace: false,
  squash: true,
  attributePrefix: "user.",
  quotas: undefined,
} as const;

function toRing(): Ring {
  const ring = createRing();
  const writer = createSyncRingWriter(ring);
  writer.write(buildArchive([file("added", "added", { uid: 0, gid: 0 })]));
  writer.finish();
  return ring;
}

/**
 * Makes `call` until no flush of it is left to fail; `isUndone` is looked at after each failure. Returns how many did.
 */
async function failEach(call: () => unknown, undo: () => unknown, assertUndone: () => void): Promise<number> {
  for (let failing = 1; ; failing++) {
    Object.assign(flushes, { failing, count: 0 });
    const failure = await Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    flushes.failing = 0;
    if (failure === undefined) return failing - 1;
    expect(failure).toMatchObject({ message: expect.stringContaining("EIO") });
    assertUndone();
    await call();
    await undo();
  }
}

describe("of vfs", () => {
  const layer = (id: string) => ({ id, parent: "base", durable: true, ...owner });
  const treeOf = (id: string) => readdirSync(`${home}/${layersFolder}/${id}`).toSorted();
  const marks = () => [readdirSync(`${home}/${unfilledFolder}`), readdirSync(`${home}/${fillingFolder}`)];

  beforeEach(() => {
    for (const folder of [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder])
      mkdirSync(`${home}/${folder}`);
    vfsCreate.createLayer(home, { ...layer("base"), parent: undefined });
    writeFileSync(`${home}/${layersFolder}/base/below`, "below");
  });

  it("in create", async () => {
    const count = await failEach(
      () => vfsCreate.createLayer(home, layer("top")),
      () => vfsCreate.discardLayer(home, "top"),
      () => expect(readdirSync(`${home}/${layersFolder}`)).toEqual(["base"]),
    );
    expect(count).toBe(1);
  });

  it.each([false, true])("in applyDiff, keeping what the archive was: %s", async (exactDiffs) => {
    vfsCreate.createLayer(home, layer("top"));
    let attempts = 0;
    const count = await failEach(
      async () => {
        const options = { ...applyOptions, exactDiffs, trashName: `trashed-${attempts++}` };
        vfsApply.undoFilling(home, "top", uid, gid);
        await vfsApply.applyDiff(home, "top", "base", toRing(), options);
      },
      () => {
        expect(treeOf("top")).toEqual(["added", "below"]);
        vfsCreate.discardLayer(home, "top");
        vfsCreate.createLayer(home, layer("top"));
      },
      () => {
        vfsApply.undoFilling(home, "top", uid, gid);
        expect(treeOf("top")).toEqual(["below"]);
        expect(marks()).toEqual([["base", "top"], []]);
      },
    );
    expect(count).toBeGreaterThanOrEqual(3);
    expect(marks()).toEqual([["base"], []]);
  });
});

describe("of overlay", () => {
  const layer = (id: string, parent?: string) => ({ id, parent, durable: true, maxDepth: 128, ...owner });
  const remove = (id: string) => rmSync(`${home}/${id}`, { recursive: true });

  beforeEach(() => {
    mkdirSync(`${home}/${linksFolder}`);
    overlayCreate.createLayer(home, layer("base"));
  });

  it("in create", async () => {
    const count = await failEach(
      () => overlayCreate.createLayer(home, layer("top", "base")),
      () => remove("top"),
      () => expect(readdirSync(home)).not.toContain("top"),
    );
    expect(count).toBeGreaterThanOrEqual(3);
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])(
    "in applyDiff, keeping what the archive was: %s, in a home with a project: %s",
    async (exactDiffs, isOfProject) => {
      flushes.handsProjectOn = isOfProject;
      overlayCreate.createLayer(home, layer("top", "base"));
      let attempts = 0;
      const count = await failEach(
        () => {
          const options = { ...applyOptions, exactDiffs, stagedName: `staged-${attempts++}` };
          return overlayApply.applyDiff(home, "top", "base", toRing(), options);
        },
        () => {
          expect(readFileSync(`${home}/top/diff/added`, "utf8")).toBe("added");
          remove("top");
          overlayCreate.createLayer(home, layer("top", "base"));
        },
        () => {
          expect(readdirSync(`${home}/top/diff`)).toEqual([]);
          expect(readdirSync(`${home}/top`).toSorted()).toEqual(["diff", "link", "lower", "work"]);
          expect(readdirSync(`${home}/.cleat/staging`)).toEqual([]);
          // Under names by which it is deleted behind.
          expect(readdirSync(`${home}/.cleat/trash`).filter((name) => !/^staged-\d+$/.test(name))).toEqual([]);
        },
      );
      expect(count).toBeGreaterThanOrEqual(2);
    },
  );

  it("in rebase", async () => {
    overlayCreate.createLayer(home, layer("top"));
    const rebase = { id: "top", maxDepth: 128, ...owner };
    const count = await failEach(
      () => rebaseLayer(home, { ...rebase, parent: "base" }),
      () => rebaseLayer(home, { ...rebase, parent: undefined }),
      () => expect(readdirSync(`${home}/top`).toSorted()).toEqual(["diff", "link"]),
    );
    expect(count).toBe(1);
  });
});
