/**
 * What root of a user namespace can keep of a layer is less than what the host's root can: the rest is told apart here.
 */
import { deepEqual, equal } from "node:assert/strict";
import { device, fifo, file, folder, symlink } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { applyEntries, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";
import { userNamespace } from "../../needs.ts";

export const userNamespaceChecks: readonly GraphDriverCheck[] = [
  {
    id: "namespace/devices",
    title: "in a user namespace, where nobody can make devices, a layer comes without them",
    source: "moby v20.10.24 pkg/archive/archive.go createTarFile",
    needs: userNamespace,
    async run(context) {
      const id = await makeLayer(context, undefined, [
        folder("dev"),
        device("character-device", "dev/null", [1, 3]),
        device("block-device", "dev/loop", [7, 3]),
        fifo("dev/pipe"),
        file("after", "x"),
      ]);
      deepEqual([...(await readLayer(context, id)).keys()].toSorted(), ["after", "dev", "dev/pipe"]);
    },
  },
  {
    id: "namespace/attributes",
    title: "in a user namespace, a layer comes without the attributes that are the host's",
    needs: userNamespace,
    async run(context) {
      const value = Buffer.from("v");
      const id = await makeLayer(context, undefined, [
        file("f", "x", { xattrs: { "trusted.t": value, "security.other": value, "user.u": value } }),
        folder("d", { xattrs: { "trusted.t": value, "user.u": value } }),
        symlink("l", "f", { xattrs: { "trusted.t": value } }),
      ]);
      const tree = await readLayer(context, id);
      const names = ["f", "d", "l"].map((path) => Object.keys(tree.get(path)?.xattrs ?? {}));
      deepEqual(names, [["user.u"], ["user.u"], []]);
    },
  },
  ...(["file", "folder", "symlink"] as const).map((kind): GraphDriverCheck => ({
    id: `namespace/unmapped-${kind}`,
    title: `in a user namespace, a ${kind} of an owner that it does not map is refused, and the layer is as created`,
    needs: userNamespace,
    async run(context) {
      const id = await makeEmptyLayer(context);
      const owner = { uid: 4_000_000_000, gid: 0 };
      const entry = { file: file("x", "x", owner), folder: folder("x", owner), symlink: symlink("x", "y", owner) }[
        kind
      ];
      await context.refused(applyEntries(context, id, undefined, [file("a", "a"), entry]), "INVALID_ARGUMENT", id);
      equal((await readLayer(context, id)).size, 0);
    },
  })),
];
