/**
 * Extended attributes that the file system cannot hold. Source: moby v20.10.24 `pkg/archive/archive.go`
 * `createTarFile`.
 */
import { equal } from "node:assert/strict";
import { fifo, file, folder, symlink } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { makeEmptyLayer, makeLayer, applyEntries, commitLayer, readLayer } from "../../layers.ts";
import { root } from "../../needs.ts";
import { netRaw } from "../content/file-kinds.ts";

const value = Buffer.from("v");
/** Of namespaces that Linux does not know, and of one that it knows for files and folders only. */
const strange = { "com.apple.quarantine": value, "com.apple.FinderInfo": Buffer.alloc(32), "system.nfs4_acl": value };
const userOnly = { "user.note": value };

export const heldAttributeChecks: readonly GraphDriverCheck[] = [
  {
    id: "attributes/left-out",
    title: "attributes that the file system cannot hold are left out, and all else is kept",
    async run(context) {
      const layer = await makeLayer(context, undefined, [
        folder("d", { xattrs: { ...strange, ...userOnly } }),
        file("d/f", "f", { mode: 0o640, xattrs: { ...strange, ...userOnly } }),
        symlink("d/l", "f", { xattrs: { ...strange, ...userOnly } }),
        fifo("d/p", { xattrs: { ...strange, ...userOnly } }),
        file("after", "a"),
      ]);
      const replay = await context.newReplay();
      replay.apply([
        folder("d", { xattrs: userOnly }),
        file("d/f", "f", { mode: 0o640, xattrs: userOnly }),
        symlink("d/l", "f"),
        fifo("d/p"),
        file("after", "a"),
      ]);
      assertSameTree(await readLayer(context, layer), replay.tree(), "layer");
      equal((await readLayer(context, await commitLayer(context, layer, undefined))).size, replay.tree().size);
    },
  },
  {
    id: "attributes/over-lower",
    title: "so they are where the layer below has the same files",
    async run(context) {
      const below = await makeLayer(context, undefined, [folder("d"), file("d/f", "f")]);
      const above = [folder("d", { mode: 0o750, xattrs: strange }), file("d/f", "new", { xattrs: strange })];
      const replay = await context.newReplay();
      replay.apply([folder("d", { mode: 0o750 }), file("d/f", "new")]);
      assertSameTree(await readLayer(context, await makeLayer(context, below, above)), replay.tree(), "layer");
    },
  },
  {
    id: "attributes/capability",
    title: "file capabilities are kept beside them, and fail the layer where they cannot be",
    needs: root,
    async run(context) {
      const xattrs = { ...strange, "security.capability": netRaw };
      const kept = await readLayer(context, await makeLayer(context, undefined, [file("ping", "x", { xattrs })]));
      equal(kept.get("ping")?.xattrs["security.capability"], netRaw.toString("hex"));
      const layer = await makeEmptyLayer(context);
      const none = { ...strange, "security.capability": Buffer.from("none") };
      await context.refused(
        applyEntries(context, layer, undefined, [file("ping", "x", { xattrs: none })]),
        "INVALID_ARGUMENT",
        layer,
      );
      equal((await readLayer(context, layer)).size, 0);
    },
  },
];
