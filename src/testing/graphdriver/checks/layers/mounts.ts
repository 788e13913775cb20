import { deepEqual, equal, ok } from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { mountsBelow } from "../../opened-driver.ts";
import { applyEntries, makeContainer, makeLayer, readLayer, writeLayer } from "../../layers.ts";
import { mounts as needsMounts } from "../../needs.ts";

export const mountChecks: readonly GraphDriverCheck[] = [
  {
    id: "mount/same-path",
    title: "every get of a layer answers the same path",
    async run(context) {
      const { driver } = context;
      const id = await makeContainerOnImage(context);
      const paths = [await driver.get(id, {}), await driver.get(id, {})];
      await driver.put(id);
      await driver.put(id);
      paths.push(await driver.get(id, {}));
      await driver.put(id);
      equal(new Set(paths).size, 1, paths.join(" "));
    },
  },
  {
    id: "mount/own-path",
    title: "each layer has a path of its own",
    async run(context) {
      const { driver } = context;
      const ids = [await makeContainerOnImage(context), await makeContainerOnImage(context)];
      const paths = await Promise.all(ids.map((id) => driver.get(id, {})));
      equal(new Set(paths).size, 2);
      await Promise.all(ids.map((id) => driver.put(id)));
    },
  },
  {
    id: "mount/counted",
    title: "a layer stays mounted until each get has had its put",
    needs: needsMounts,
    async run(context) {
      const { driver } = context;
      const id = await makeContainerOnImage(context);
      const path = await driver.get(id, {});
      ok(isMountPoint(path), `"${path}" is not a mount point`);
      await driver.get(id, {});
      await driver.put(id);
      ok(isMountPoint(path), "unmounted by the first of two puts");
      await driver.put(id);
      deepEqual(mountsBelow(context.home), []);
    },
  },
  {
    id: "mount/counted-at-once",
    title: "gets and puts of one layer at once are counted right",
    needs: needsMounts,
    async run(context) {
      const { driver } = context;
      const id = await makeContainerOnImage(context);
      const paths = await Promise.all(Array.from({ length: 8 }, () => driver.get(id, {})));
      equal(new Set(paths).size, 1);
      await Promise.all(Array.from({ length: 7 }, () => driver.put(id)));
      ok(isMountPoint(paths[0] as string), "unmounted by seven puts after eight gets");
      await driver.put(id);
      deepEqual(mountsBelow(context.home), []);
    },
  },
  {
    id: "mount/put-without-get",
    title: "a put without get succeeds and takes nothing from a later get",
    async run(context) {
      const { driver } = context;
      const id = await makeContainerOnImage(context);
      await driver.put(id);
      await driver.put(id);
      const path = await driver.get(id, {});
      deepEqual(readdirSync(path), ["below"]);
      await driver.put(id);
      await driver.put(id);
      await driver.put("never-made");
    },
  },
  {
    id: "mount/writes-stay",
    title: "what was written is there after put and get",
    async run(context) {
      const id = await makeContainerOnImage(context);
      await writeLayer(context, id, (writer) => writer.write("kept", "kept"));
      deepEqual([...(await readLayer(context, id)).keys()].toSorted(), ["below", "kept"]);
    },
  },
  {
    id: "mount/remove-mounted",
    title: "a layer that is mounted can be removed, and no mount stays",
    source: "moby v20.10.24 layer/layer_store.go deletes what a crashed container holds",
    async run(context) {
      const { driver } = context;
      const id = await makeContainerOnImage(context);
      await driver.get(id, {});
      await driver.get(id, {});
      await driver.remove(id);
      equal(await driver.exists(id), false);
      deepEqual(mountsBelow(context.home), []);
      await driver.put(id);
    },
  },
  {
    id: "mount/apply-refused",
    title: "a diff is not applied to a layer that is mounted",
    needs: needsMounts,
    async run(context) {
      const { driver } = context;
      const image = await makeLayer(context, undefined, [file("below", "x")]);
      const id = await makeContainer(context, image);
      await driver.get(id, {});
      await context.refused(applyEntries(context, id, image, [file("a", "a")]), "FAILED_PRECONDITION", id);
      await driver.put(id);
      deepEqual([...(await readLayer(context, id)).keys()], ["below"]);
    },
  },
  {
    id: "mount/cleanup",
    title: "cleanup unmounts what is held and deletes nothing",
    async run(context) {
      const id = await makeContainerOnImage(context);
      await context.driver.get(id, {});
      await context.driver.get(id, {});
      await context.driver.cleanup();
      deepEqual(mountsBelow(context.home), []);
      await context.reopen();
      deepEqual([...(await readLayer(context, id)).keys()], ["below"]);
    },
  },
];

async function makeContainerOnImage(context: GraphDriverContext): Promise<string> {
  return makeContainer(context, await makeLayer(context, undefined, [file("below", "x")]));
}

function isMountPoint(path: string): boolean {
  return lstatSync(path).dev !== lstatSync(dirname(path)).dev;
}
