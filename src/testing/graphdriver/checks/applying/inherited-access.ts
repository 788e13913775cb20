/** What a folder around the layers gives to whatever is made in it: nothing of that is part of a layer. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { chmodSync, chownSync, readdirSync, statSync } from "node:fs";
import { isSystemError } from "../../../../errors/index.ts";
import { llistxattr, lsetxattr } from "../../../../syscall/index.ts";
import { fifo, file, folder, symlink, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { listChanges, makeContainer, makeLayer, readDiff, readLayer, visitLayer } from "../../layers.ts";
import { hostRoot, root } from "../../needs.ts";

/** As `setfacl -m u::rwx,u:1000:rwx,g::-,m::rwx,o::-`. Source: `linux/posix_acl_xattr.h` v6.1. */
const list = aclOf([0x01, 7], [0x02, 7, 1000], [0x04, 0], [0x10, 7], [0x20, 0]);

const entries = [
  folder("d", { mode: 0o755 }),
  file("d/f", "f", { mode: 0o644 }),
  fifo("d/p", { mode: 0o622 }),
  symlink("d/l", "f"),
];
const above = [file("d/new", "n", { mode: 0o604 }), whiteout("d/p"), file("implied/in/f", "f", { mode: 0o4755 })];

export const inheritedAccessChecks: readonly GraphDriverCheck[] = [
  {
    id: "access/default-acl",
    title: "access control lists that folders of the home give to new files are in no layer",
    needs: acls,
    run: (context) => assertUnaffected(context, (path) => lsetxattr(path, "system.posix_acl_default", list)),
  },
  {
    id: "access/setgid",
    title: "nor is the group that they give, or the bit that makes them do so",
    needs: root,
    run: (context) =>
      assertUnaffected(context, (path) => {
        chownSync(path, statSync(path).uid, 7);
        chmodSync(path, statSync(path).mode | 0o2000);
      }),
  },
  {
    id: "access/of-the-layer",
    title: "a layer's own lists are kept, and are not given to what later layers make in its folders",
    needs: (context) => hostRoot(context) ?? acls(context),
    async run(context) {
      const xattrs = { "system.posix_acl_default": list };
      const below = await makeLayer(context, undefined, [
        folder("d", { xattrs }),
        folder("g", { mode: 0o2775, gid: 7 }),
      ]);
      const more = [
        file("d/f", "f", { mode: 0o644 }),
        folder("d/sub", { mode: 0o711 }),
        file("d/sub/f", "f", { mode: 0o666 }),
        file("d/implied/f", "f"),
        fifo("d/p", { mode: 0o622 }),
        file("g/f", "f"),
        file("g/implied/f", "f"),
      ];
      const tree = await readLayer(context, await makeLayer(context, below, more));
      const shown = [...tree].map(([path, { mode, gid, xattrs: kept }]) => [
        path,
        mode.toString(8),
        gid,
        ...Object.keys(kept),
      ]);
      deepEqual(
        new Set(shown.map((row) => row.join(" "))),
        new Set([
          "d 755 0 system.posix_acl_default",
          "d/f 644 0",
          "d/sub 711 0",
          "d/sub/f 666 0",
          "d/implied 755 0",
          "d/implied/f 644 0",
          "d/p 622 0",
          "g 2775 7",
          "g/f 644 0",
          "g/implied 755 0",
          "g/implied/f 644 0",
        ]),
      );
    },
  },
];

/** The same layers, before and after `spoil` was done to each folder of the home that is not a layer's. */
async function assertUnaffected(context: GraphDriverContext, spoil: (path: string) => void): Promise<void> {
  const before = await makeLayers(context);
  for (const path of foldersOf(context.home)) spoil(path);
  await context.reopen();
  const after = await makeLayers(context);
  for (const [subject, { trees, diffs, changes }] of Object.entries({ before, after })) {
    for (const [at, tree] of trees.entries())
      assertSameTree(tree, before.trees[at] ?? new Map(), `layer ${at} ${subject}`);
    deepEqual(changes, before.changes);
    diffs.forEach((diff, at) => ok(before.diffs[at]?.equals(diff), `diff ${at} ${subject}`));
  }
}

async function makeLayers(context: GraphDriverContext) {
  const base = await makeLayer(context, undefined, entries);
  const app = await makeLayer(context, base, above);
  const container = await makeContainer(context, app);
  const empty = await makeContainer(context, undefined);
  const layers = [base, app, container, empty];
  const trees = [];
  for (const layer of layers) {
    trees.push(
      new Map([...(await readLayer(context, layer))].map(([path, node]) => [path, { ...node, mtimeNs: undefined }])),
    );
    await visitLayer(context, layer, (path) => {
      const { mode, uid, gid } = statSync(path);
      deepEqual(
        [mode & 0o7777, uid, gid],
        [0o755, process.geteuid?.(), process.getegid?.()],
        `the root of layer ${layer}`,
      );
      equal(llistxattr(path).filter((name) => name.startsWith("system.")).length, 0);
    });
  }
  return {
    trees,
    diffs: [await readDiff(context, base), await readDiff(context, container, app)],
    changes: await listChanges(context, container, app),
  };
}

/** Not deeper than drivers keep their layers. */
function foldersOf(home: string): string[] {
  const isFolder = (path: string): boolean => statSync(path).isDirectory();
  const belowHome = readdirSync(home)
    .map((name) => `${home}/${name}`)
    .filter(isFolder);
  const further = belowHome.flatMap((path) => readdirSync(path).map((name) => `${path}/${name}`)).filter(isFolder);
  return [home, ...belowHome, ...further.filter((path) => path.includes("/.cleat/"))];
}

function acls({ scratch }: GraphDriverContext): string | undefined {
  try {
    lsetxattr(scratch, "system.posix_acl_access", aclOf([0x01, 7], [0x04, 5], [0x20, 5]));
    return undefined;
  } catch (error) {
    if (isSystemError(error, "ENOTSUP")) return "the file system keeps no access control lists";
    throw error;
  }
}

/** Version 2; a tag, permissions and an id each, sorted by tags. */
function aclOf(...rows: readonly (readonly [tag: number, permissions: number, id?: number])[]): Buffer {
  const bytes = Buffer.alloc(4 + rows.length * 8);
  bytes.writeUInt32LE(2);
  rows.forEach(([tag, permissions, id = 0xffffffff], at) => {
    bytes.writeUInt16LE(tag, 4 + at * 8);
    bytes.writeUInt16LE(permissions, 6 + at * 8);
    bytes.writeUInt32LE(id, 8 + at * 8);
  });
  return bytes;
}
