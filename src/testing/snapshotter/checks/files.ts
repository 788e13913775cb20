import { deepEqual, equal, throws } from "node:assert/strict";
import * as fs from "node:fs";
import { lgetxattr, lsetxattr } from "../../../syscall/index.ts";
import type { SnapshotterCheck } from "../check.ts";
import { needsMounts } from "../needs.ts";

/** What a capability of a program is kept in: bytes that are no text. Source: capabilities(7), VFS_CAP_REVISION_2. */
const netRawCapability = Buffer.from("0000000200200000000000000000000000000000", "hex");
const attributes = [
  ["user.text", Buffer.from("plain")],
  ["user.bytes", Buffer.from([0, 255, 1, 0])],
  ["security.capability", netRawCapability],
] as const;

export const fileChecks: readonly SnapshotterCheck[] = [
  {
    id: "files/root",
    title: "the root of an empty snapshot is root's, and anybody may look into it",
    source: "containerd v1.6.20 snapshots/testsuite/testsuite.go, checkRootPermission",
    needs: needsMounts,
    async run({ snapshotter, newName, within }) {
      for (const method of ["prepare", "view"] as const) {
        await within(await snapshotter[method](newName(), {}), (path) => {
          const { mode, uid, gid } = fs.statSync(path);
          deepEqual([mode & 0o7777, uid, gid], [0o755, 0, 0]);
          deepEqual(fs.readdirSync(path), []);
        });
      }
    },
  },
  {
    id: "files/root-owner",
    title: "the root of a snapshot belongs to whom its parent's belongs",
    source:
      "containerd v1.6.20 snapshots/overlay/overlay.go, createSnapshot; snapshots/testsuite/issues.go, checkChown",
    needs: needsMounts,
    async run({ snapshotter, newName, newLayer, within, viewed }) {
      const owned = await newLayer(undefined, (path) => fs.chownSync(path, 1000, 1001));
      const above = await newLayer(owned, (path) => fs.writeFileSync(`${path}/file`, ""));
      const assertOwned = (path: string) => {
        const { uid, gid } = fs.statSync(path);
        deepEqual([uid, gid], [1000, 1001]);
      };
      for (const parent of [owned, above]) {
        await within(await snapshotter.prepare(newName(), { parent }), assertOwned);
        await viewed(parent, assertOwned);
      }
    },
  },
  {
    id: "files/read-only",
    title: "nothing can be written through a view",
    source: "containerd v1.6.20 snapshots/testsuite/testsuite.go, checkSnapshotterViewReadonly",
    needs: needsMounts,
    async run({ snapshotter, newName, newLayer, within }) {
      const parent = await newLayer(undefined, (path) => fs.writeFileSync(`${path}/file`, "a"));
      const child = await newLayer(parent, (path) => fs.writeFileSync(`${path}/other`, "b"));
      for (const below of [undefined, parent, child]) {
        await within(await snapshotter.view(newName(), { parent: below }), (path) => {
          throws(() => fs.writeFileSync(`${path}/new`, ""), { code: "EROFS" });
          if (below !== undefined) throws(() => fs.appendFileSync(`${path}/file`, ""), { code: "EROFS" });
        });
      }
    },
  },
  {
    id: "files/apart",
    title: "what is written to a snapshot is not in its parent, nor in others on it",
    needs: needsMounts,
    async run({ snapshotter, newName, newLayer, within, viewed }) {
      const parent = await newLayer(undefined, (path) => {
        fs.writeFileSync(`${path}/kept`, "kept");
        fs.writeFileSync(`${path}/changed`, "before");
      });
      const [one, other] = [newName(), newName()];
      const mounts = await snapshotter.prepare(one, { parent });
      const others = await snapshotter.prepare(other, { parent });
      await within(mounts, (path) => {
        fs.writeFileSync(`${path}/changed`, "after");
        fs.rmSync(`${path}/kept`);
        fs.writeFileSync(`${path}/new`, "");
      });
      const assertBefore = (path: string) => {
        deepEqual(fs.readdirSync(path).toSorted(), ["changed", "kept"]);
        equal(fs.readFileSync(`${path}/changed`, "utf8"), "before");
      };
      await within(others, assertBefore);
      await viewed(parent, assertBefore);
      await within(mounts, (path) => {
        deepEqual(fs.readdirSync(path).toSorted(), ["changed", "new"]);
        equal(fs.readFileSync(`${path}/changed`, "utf8"), "after");
      });
    },
  },
  {
    id: "files/attributes",
    title: "extended attributes are what they were, byte for byte, in every snapshot above",
    needs: needsMounts,
    async run({ snapshotter, newName, newLayer, within, viewed }) {
      const parent = await newLayer(undefined, (path) => {
        fs.mkdirSync(`${path}/folder`);
        for (const name of ["file", "folder/file"]) {
          fs.writeFileSync(`${path}/${name}`, "x", { mode: 0o755 });
          for (const [attribute, value] of attributes) lsetxattr(`${path}/${name}`, attribute, value);
        }
      });
      const child = await newLayer(parent, (path) => fs.chmodSync(`${path}/file`, 0o711)); // which copies it up
      const assertKept = (path: string) => {
        for (const name of ["file", "folder/file"]) {
          for (const [attribute, value] of attributes) deepEqual(lgetxattr(`${path}/${name}`, attribute), value);
        }
      };
      for (const below of [parent, child]) {
        await viewed(below, assertKept);
        await within(await snapshotter.prepare(newName(), { parent: below }), assertKept);
      }
    },
  },
  {
    id: "files/removed-while-mounted",
    title: "a container runs on whose snapshot was removed, and its mount can be taken away",
    needs: needsMounts,
    async run({ snapshotter, newName, newLayer, within }) {
      const parent = await newLayer(undefined, (path) => fs.writeFileSync(`${path}/file`, "a"));
      const key = newName();
      await within(await snapshotter.prepare(key, { parent }), async (path) => {
        const open = fs.openSync(`${path}/file`, "r");
        await snapshotter.remove(key);
        await snapshotter.cleanup();
        equal(fs.readFileSync(open, "utf8"), "a");
        fs.closeSync(open);
      });
      await snapshotter.prepare(key, { parent });
    },
  },
];
