/** What is killed at each of its system calls: how it is prepared, done, and what may be found then. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

import { openGraphDriverSnapshotter } from "cleat/snapshotter";
import { buildArchive, file, folder, hardLink, symlink, whiteout } from "cleat/testing";

import { assertNothingStaged, factories, namesOf, streamOf } from "../graphdriver/scenarios/layers.mjs";

const below = buildArchive([folder("d"), file("d/old", "old"), file("kept", "kept")]);
const above = buildArchive([
  folder("d", { xattrs: new Map([["user.a", Buffer.from("b")]]) }),
  file("d/new", "new".repeat(3000)),
  hardLink("d/linked", "d/new"),
  symlink("link", "d/new"),
  whiteout("d/old"),
]);
const [asCreated, whole] = [
  ["d", "d/old", "kept"],
  ["d", "d/linked", "d/new", "kept", "link"],
];

async function prepareBase(driver) {
  if (await driver.exists("base")) return;
  await driver.create("base", {});
  await driver.applyDiff("base", undefined, streamOf(below));
}

async function prepareLayer(driver, id) {
  await prepareBase(driver);
  await driver.create(id, { parent: "base" });
}

const fill = (driver, id) => driver.applyDiff(id, "base", streamOf(above));

async function assertIsOneOf(driver, id, states) {
  const found = (await driver.exists(id)) ? await namesOf(driver, id) : "absent";
  assert.ok(
    states.some((state) => String(state) === String(found)),
    `${id} holds ${found}`,
  );
  if (found !== "absent") await driver.remove(id);
}

const onDriver = (operation) => ({
  ...operation,
  open: (name, home, options) => factories[name].open({ home, options }),
  async check(driver, id, isDone) {
    await assertIsOneOf(driver, id, isDone ? operation.after : [...operation.before, ...operation.after]);
  },
  assertClean: assertNothingStaged,
});

export const operations = {
  create: onDriver({
    prepare: prepareBase,
    run: (driver, id) => driver.createReadWrite(id, { parent: "base" }),
    before: ["absent"],
    after: [asCreated],
  }),
  apply: onDriver({ prepare: prepareLayer, run: fill, before: [asCreated], after: [whole] }),
  "apply with exact diffs": onDriver({
    options: ["cleat.exact_diffs=true"],
    prepare: prepareLayer,
    run: fill,
    before: [asCreated],
    after: [whole],
  }),
  remove: onDriver({
    async prepare(driver, id) {
      await prepareLayer(driver, id);
      await fill(driver, id);
    },
    run: (driver, id) => driver.remove(id),
    before: [whole],
    after: ["absent"],
  }),
  commit: {
    open: (name, root) => openGraphDriverSnapshotter({ driver: factories[name], root }),
    async prepare(snapshotter, id) {
      const [{ source, options }] = await snapshotter.prepare(`${id}-key`, {});
      const upper = options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length) ?? source;
      writeFileSync(`${upper}/file`, id);
    },
    run: (snapshotter, id) => snapshotter.commit(id, `${id}-key`, {}),
    async check(snapshotter, id, isDone) {
      const kinds = [];
      for await (const { name, kind } of snapshotter.list()) if (name.startsWith(id)) kinds.push([name, kind]);
      const before = [[`${id}-key`, "active"]];
      const after = [[id, "committed"]];
      assert.ok(
        [after, ...(isDone ? [] : [before])].some((one) => String(one) === String(kinds)),
        `there is ${kinds}`,
      );
      const [name] = kinds[0];
      if (name === id) await snapshotter.prepare(`${id}-look`, { parent: id });
      const key = name === id ? `${id}-look` : name;
      const [{ source, options }] = await snapshotter.mounts(key);
      const folders = options.flatMap((option) => option.match(/^(?:lowerdir|upperdir)=(.*)/)?.[1].split(":") ?? []);
      const found = [source, ...folders].some((path) => {
        try {
          return readFileSync(`${path}/file`, "utf8") === id;
        } catch {
          return false;
        }
      });
      assert.ok(found, `${name} has lost its file`);
      await snapshotter.remove(key);
      if (name === id) await snapshotter.remove(id);
    },
    async assertClean() {},
  },
};
