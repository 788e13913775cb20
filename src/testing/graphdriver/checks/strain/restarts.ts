import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { file, folder, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { mountsBelow } from "../../opened-driver.ts";
import { applyEntries, listChanges, makeContainer, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";
import { mounts } from "../../needs.ts";

const below = [folder("d"), file("d/one", "1")];

export const restartChecks: readonly GraphDriverCheck[] = [
  {
    id: "restart/layers",
    title: "layers are there after close and open, and go on being used",
    async run(context) {
      const image = await makeLayer(context, undefined, below);
      const empty = await makeEmptyLayer(context, image);
      const container = await makeContainer(context, image, (writer) => writer.write("new", "n"));
      const expected = await readLayer(context, container);
      await context.reopen();
      assertSameTree(await readLayer(context, container), expected, "container");
      deepEqual(await listChanges(context, container, image), ["added /new"]);
      await applyEntries(context, empty, image, [whiteout("d/one")]);
      deepEqual([...(await readLayer(context, empty)).keys()], ["d"]);
      equal(await context.driver.exists("nobody"), false);
    },
  },
  {
    id: "restart/adopts-mounts",
    title: "a mount that outlived its driver is adopted: it counts as held once",
    needs: mounts,
    async run(context) {
      const container = await makeContainer(context, await makeLayer(context, undefined, below));
      const path = await context.driver.get(container, {});
      writeFileSync(`${path}/running`, "r");
      await context.reopen();
      equal(readFileSync(`${path}/running`, "latin1"), "r");
      equal(await context.driver.get(container, {}), path);
      await context.driver.put(container);
      deepEqual(mountsBelow(context.home), [path], "the container's mount went with the first put");
      await context.driver.put(container);
      deepEqual(mountsBelow(context.home), []);
    },
  },
  {
    id: "restart/removes-adopted",
    title: "a layer whose mount was adopted can be removed",
    needs: mounts,
    async run(context) {
      const container = await makeContainer(context, await makeLayer(context, undefined, below));
      await context.driver.get(container, {});
      await context.reopen();
      await context.driver.remove(container);
      equal(await context.driver.exists(container), false);
      deepEqual(mountsBelow(context.home), []);
    },
  },
  {
    id: "restart/close-twice",
    title: "close may be called twice, and leaves mounts alone",
    async run(context) {
      const container = await makeContainer(context, await makeLayer(context, undefined, below));
      const path = await context.driver.get(container, {});
      await context.driver.close();
      await context.reopen();
      ok(readFileSync(`${path}/d/one`, "latin1") === "1");
      await context.driver.put(container);
    },
  },
];
