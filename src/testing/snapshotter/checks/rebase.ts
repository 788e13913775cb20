import { deepEqual, equal, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { AT_FDCWD, lsetxattr, mknodat, S_IFCHR } from "../../../syscall/index.ts";
import type { SnapshotterCheck } from "../check.ts";
import type { SnapshotterContext } from "../context.ts";
import { needsMounts, needsRebase } from "../needs.ts";
import { refOf, unpackRequest } from "../unpack-request.ts";

const source = "containerd v2.2.0 core/unpack/unpacker.go; v1.6.20 diff/apply/apply_linux.go, apply";
const needsBoth = (context: SnapshotterContext) => needsMounts(context) ?? needsRebase(context);

/**
 * What containerd's applier does with a mount of overlay that it is told: it takes the upper folder from it, and writes
 * there. A layer that has a parent already may be of another type (that of fuse-overlayfs is), which is mounted, and
 * `unpackMounted` does what is done there then.
 */
async function unpackInto(
  context: SnapshotterContext,
  layer: string,
  unpack: (upper: string) => void,
  onParent?: { readonly parent: string; unpackMounted(path: string): void },
): Promise<string> {
  const { key, options } = unpackRequest(layer, onParent?.parent);
  const mounts = await context.snapshotter.prepare(context.own(key), options);
  const [mount, ...others] = mounts;
  equal(others.length, 0);
  if (onParent !== undefined && mount?.type !== "overlay") {
    await context.within(mounts, onParent.unpackMounted);
    return key;
  }
  equal(mount?.type, "overlay");
  const upper = mount?.options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
  ok(upper !== undefined);
  ok(!mount?.options.includes("ro"));
  unpack(upper);
  return key;
}

const whiteout = (path: string) => mknodat(AT_FDCWD, path, S_IFCHR, 0, 0);
const makeOpaque = (path: string) => lsetxattr(path, "trusted.overlay.opaque", Buffer.from("y"));

export const rebaseChecks: readonly SnapshotterCheck[] = [
  {
    id: "rebase/whiteouts",
    title: "layers that are unpacked side by side delete what lies below once they are committed on it",
    source,
    needs: needsBoth,
    async run(context) {
      const { snapshotter, newName, viewed, within } = context;
      const top = await unpackInto(context, "sha256:top", (upper) => {
        fs.writeFileSync(`${upper}/b`, "from the top");
        whiteout(`${upper}/middle`);
      });
      const middle = await unpackInto(context, "sha256:middle", (upper) => {
        whiteout(`${upper}/a`);
        fs.mkdirSync(`${upper}/d`);
        makeOpaque(`${upper}/d`);
        fs.writeFileSync(`${upper}/d/new`, "");
        fs.writeFileSync(`${upper}/middle`, "");
      });
      const base = await unpackInto(context, "sha256:base", (upper) => {
        for (const name of ["a", "b"]) fs.writeFileSync(`${upper}/${name}`, name);
        fs.mkdirSync(`${upper}/d`);
        fs.writeFileSync(`${upper}/d/old`, "");
      });
      const names = [newName("base"), newName("middle"), newName("top")] as const;
      await snapshotter.commit(names[0], base, { labels: refOf("sha256:base") });
      await snapshotter.commit(names[1], middle, { labels: refOf("sha256:middle"), parent: names[0] });
      await snapshotter.commit(names[2], top, { labels: refOf("sha256:top"), parent: names[1] });
      const assertTree = (path: string) => {
        deepEqual(fs.readdirSync(path).toSorted(), ["b", "d"]);
        deepEqual(fs.readdirSync(`${path}/d`), ["new"]);
        equal(fs.readFileSync(`${path}/b`, "utf8"), "from the top");
      };
      await viewed(names[2], assertTree);
      await viewed(names[0], (path) => deepEqual(fs.readdirSync(path).toSorted(), ["a", "b", "d"]));
      if (context.abilities.reopens) await context.reopen();
      await within(await context.snapshotter.prepare(newName(), { parent: names[2] }), assertTree);
    },
  },
  {
    id: "rebase/opaque-root",
    title:
      "a layer that hides at its root all that lies below does so, whether it had its parent before or gets it then",
    source: "containerd v1.6.20 archive/tar_opts_linux.go, OverlayConvertWhiteout",
    needs: needsBoth,
    async run(context) {
      const { snapshotter, newLayer, newName, viewed } = context;
      const base = await newLayer(undefined, (path) => {
        fs.mkdirSync(`${path}/d/sub`, { recursive: true });
        for (const name of ["a", "d/a", "d/sub/a"]) fs.writeFileSync(`${path}/${name}`, "");
      });
      const write = (path: string): void => {
        fs.mkdirSync(`${path}/d/sub`, { recursive: true });
        fs.writeFileSync(`${path}/d/own`, "");
      };
      const unpack = (upper: string): void => {
        makeOpaque(upper);
        write(upper);
      };
      const unpackMounted = (path: string): void => {
        for (const name of fs.readdirSync(path)) fs.rmSync(`${path}/${name}`, { recursive: true });
        write(path);
      };
      const onParents = { "sha256:later": undefined, "sha256:before": { parent: base, unpackMounted } };
      for (const [layer, onParent] of Object.entries(onParents)) {
        const key = await unpackInto(context, layer, unpack, onParent);
        const name = newName();
        await snapshotter.commit(name, key, { parent: base });
        await viewed(name, (path) => {
          deepEqual(fs.readdirSync(path, { recursive: true }).toSorted(), ["d", "d/own", "d/sub"]);
        });
      }
    },
  },
  {
    id: "rebase/mounts",
    title: "what is to be unpacked into is told the same each time, and to nobody else",
    source,
    needs: needsBoth,
    async run(context) {
      const { snapshotter, newName, newCommitted } = context;
      const { key, options } = unpackRequest("sha256:x", undefined);
      const told = await snapshotter.prepare(context.own(key), options);
      deepEqual(await snapshotter.mounts(key), told);
      if (context.abilities.reopens) await context.reopen();
      deepEqual(await context.snapshotter.mounts(key), told);
      const container = await context.snapshotter.prepare(newName(), { labels: options.labels });
      equal(container[0]?.type, "bind");
      const withParent = unpackRequest("sha256:y", await newCommitted());
      const [mount] = await context.snapshotter.prepare(context.own(withParent.key), withParent.options);
      ok(mount?.options.some((option) => option.startsWith("lowerdir=")));
    },
  },
  {
    id: "rebase/usage",
    title: "usage of what was unpacked is its own, whatever it was laid on",
    source,
    needs: needsBoth,
    async run(context) {
      const { snapshotter, newName, newLayer } = context;
      const parent = await newLayer(undefined, (path) => fs.writeFileSync(`${path}/big`, Buffer.alloc(1 << 20, 1)));
      const key = await unpackInto(context, "sha256:u", (upper) => fs.writeFileSync(`${upper}/small`, "x"));
      const before = await snapshotter.usage(key);
      const name = newName();
      await snapshotter.commit(name, key, { parent });
      deepEqual(await snapshotter.usage(name), before);
      ok(before.inodes >= 1 && before.inodes <= 2);
    },
  },
];
