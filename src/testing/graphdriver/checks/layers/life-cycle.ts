import { deepEqual, equal, ok } from "node:assert/strict";
import { lstatSync } from "node:fs";
import { isAbsolute } from "node:path";
import { file, folder } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { listChanges, makeContainer, makeEmptyLayer, makeLayer, readLayer, visitLayer } from "../../layers.ts";

const base = [folder("etc"), file("etc/hosts", "127.0.0.1 localhost\n"), file("motd", "hello")];

export const lifeCycleChecks: readonly GraphDriverCheck[] = [
  {
    id: "life/create-empty",
    title: "a new layer without a parent is an empty folder of root's, mode 0755",
    source: "moby v20.10.24 daemon/graphdriver/graphtest DriverTestCreateEmpty",
    async run(context) {
      const id = await makeEmptyLayer(context);
      await visitLayer(context, id, (path) => {
        ok(isAbsolute(path), `"${path}" is not absolute`);
        const { mode, uid, gid } = lstatSync(path);
        deepEqual([mode & 0o7777, uid, gid], [0o755, process.geteuid?.(), process.getegid?.()]);
      });
      deepEqual([...(await readLayer(context, id)).keys()], []);
    },
  },
  {
    id: "life/create-base",
    title: "an image layer shows what was applied to it",
    source: "moby v20.10.24 graphtest DriverTestCreateBase",
    run: (context) => assertShows(context, undefined),
  },
  {
    id: "life/create-snapshot",
    title: "a layer on a parent shows the parent's files",
    source: "moby v20.10.24 graphtest DriverTestCreateSnap",
    run: (context) => assertShows(context, "image"),
  },
  {
    id: "life/container-is-apart",
    title: "what a container writes is seen in no other layer",
    async run(context) {
      const image = await makeLayer(context, undefined, base);
      const before = await readLayer(context, image);
      const other = await makeContainer(context, image);
      const container = await makeContainer(context, image, (writer) => {
        writer.write("etc/hosts", "changed");
        writer.remove("motd");
        writer.write("new", "new");
      });
      deepEqual([...(await readLayer(context, container)).keys()].toSorted(), ["etc", "etc/hosts", "new"]);
      assertSameTree(await readLayer(context, image), before, "image");
      assertSameTree(await readLayer(context, other), before, "second container");
    },
  },
  {
    id: "life/init-layer",
    title: "a container on the writable layer that Docker puts below it sees both",
    source: "moby v20.10.24 layer/layer_store.go initMount",
    async run(context) {
      const image = await makeLayer(context, undefined, base);
      const init = await makeContainer(context, image, (writer) => writer.write("etc/hostname", ""));
      const container = await makeContainer(context, init, (writer) => writer.write("app", "x"));
      deepEqual(await listChanges(context, container, init), ["added /app"]);
      const names = [...(await readLayer(context, container)).keys()].toSorted();
      deepEqual(names, ["app", "etc", "etc/hostname", "etc/hosts", "motd"]);
    },
  },
  {
    id: "life/exists",
    title: "a layer exists from create to remove",
    async run(context) {
      const id = context.newId();
      equal(await context.driver.exists(id), false);
      await context.driver.create(id, {});
      equal(await context.driver.exists(id), true);
      await context.driver.remove(id);
      equal(await context.driver.exists(id), false);
    },
  },
  {
    id: "life/remove-unknown",
    title: "removing a layer that does not exist succeeds, once and again",
    async run({ driver, newId }) {
      const id = newId();
      await driver.remove(id);
      await driver.create(id, {});
      await driver.remove(id);
      await driver.remove(id);
    },
  },
  {
    id: "life/create-after-remove",
    title: "the id of a removed layer can be used again, and nothing of the old layer is left",
    async run(context) {
      const id = await makeLayer(context, undefined, base);
      await context.driver.remove(id);
      await context.driver.create(id, {});
      deepEqual([...(await readLayer(context, id)).keys()], []);
    },
  },
  {
    id: "life/create-twice",
    title: "an id that is taken is refused, and its layer stays as it is",
    async run(context) {
      const id = await makeLayer(context, undefined, base);
      const before = await readLayer(context, id);
      await context.refused(context.driver.create(id, {}), "ALREADY_EXISTS", id);
      await context.refused(context.driver.createReadWrite(id, {}), "ALREADY_EXISTS", id);
      assertSameTree(await readLayer(context, id), before, "layer");
    },
  },
  {
    id: "life/gone-before-deleted",
    title: "who removes a layer is told once when its id is free, and may use it right then",
    async run(context) {
      const { driver } = context;
      const id = await makeLayer(context, undefined, base);
      const heard: string[] = [];
      let again: Promise<void> | undefined;
      const onGone = (): void => {
        heard.push("gone");
        again = driver.create(id);
        again.catch(() => {}); // where the check fails before it asks
      };
      await driver.remove(id, { onGone }).then(() => heard.push("removed"));
      deepEqual(heard, ["gone", "removed"]);
      await again;
      deepEqual([...(await readLayer(context, id)).keys()], []);
      await driver.remove(id);
      await driver.remove(id, { onGone: () => heard.push("gone already") });
      deepEqual(heard.slice(2), ["gone already"]);
    },
  },
  {
    id: "life/create-at-once",
    title: "of several creates of one id at once exactly one succeeds",
    async run({ driver, newId }) {
      const id = newId();
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => driver.create(id, {})));
      equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    },
  },
  {
    id: "life/missing-parent",
    title: "a parent that is not a layer is refused, and no layer is made",
    async run({ driver, newId, refused }) {
      const id = newId();
      await refused(driver.create(id, { parent: "nobody" }), "NOT_FOUND", "nobody");
      await refused(driver.createReadWrite(id, { parent: "nobody" }), "NOT_FOUND", "nobody");
      equal(await driver.exists(id), false);
    },
  },
  {
    id: "life/unknown-storage-option",
    title: "a storage option that the driver does not know is refused, and no layer is made",
    async run({ driver, newId, refused }) {
      const id = newId();
      const storageOptions = { "no.such.option": "1" };
      await refused(
        driver.createReadWrite(id, { storageOptions }),
        ["UNIMPLEMENTED", "INVALID_ARGUMENT"],
        "no.such.option",
      );
      equal(await driver.exists(id), false);
    },
  },
  {
    id: "life/size-option",
    title: "a size is refused by a driver that cannot enforce one, and no layer is made",
    needs: ({ driver }) => (driver.capabilities.enforcesSize ? `driver "${driver.name}" enforces sizes` : undefined),
    async run({ driver, newId, refused }) {
      const id = newId();
      await refused(driver.createReadWrite(id, { storageOptions: { size: "10M" } }), "UNIMPLEMENTED", "size");
      equal(await driver.exists(id), false);
    },
  },
  {
    id: "life/status",
    title: "status is rows of a name and a value",
    async run({ driver }) {
      for (const row of await driver.status()) {
        equal(row.length, 2);
        for (const text of row) equal(typeof text, "string");
      }
    },
  },
  {
    id: "life/metadata",
    title: "metadata of a layer maps names to text",
    async run(context) {
      const image = await makeLayer(context, undefined, base);
      const container = await makeContainer(context, image);
      for (const id of [image, container]) {
        const rows = Object.entries(await context.driver.metadata(id));
        ok(rows.every(([key, value]) => key !== "" && typeof value === "string"));
      }
    },
  },
];

async function assertShows(context: GraphDriverContext, below: "image" | undefined): Promise<void> {
  const replay = await context.newReplay();
  replay.apply(base);
  const image = await makeLayer(context, undefined, base);
  const id = below === undefined ? image : await makeEmptyLayer(context, image);
  assertSameTree(await readLayer(context, id), replay.tree(), "layer");
}
