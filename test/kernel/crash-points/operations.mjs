/** What is killed, or fails, at each of its system calls: how it is prepared, done, and what may be found then. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { openGraphDriverSnapshotter } from "cleat/snapshotter";
import {
  buildArchive,
  file,
  folder,
  hardLink,
  symlink,
  whiteout,
} from "../graphdriver/scenarios/archives-and-trees.mjs";

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

export async function prepareBase(driver) {
  if (await driver.exists("base")) return;
  await driver.create("base", {});
  await driver.applyDiff("base", undefined, streamOf(below));
}

async function prepareLayer(driver, id) {
  await prepareBase(driver);
  await driver.create(id, { parent: "base" });
}

const fill = (driver, id) => driver.applyDiff(id, "base", streamOf(above));

/** Overlay's drivers make the next layer's folders ahead, behind the answer; others have none to wait for. */
async function untilSpare(driver) {
  const { UpperDir } = await driver.metadata("base");
  if (UpperDir === undefined) return;
  const spare = `${UpperDir.slice(0, -"/base/diff".length)}/.cleat/staging/spare`;
  for (let looks = 0; !existsSync(spare); looks++) {
    assert.ok(looks < 1_000, "no spare was made");
    await pause(5);
  }
}

const onDriver = (operation) => ({
  ...operation,
  open: (name, home, options) => factories[name].open({ home, options }),
  look: async (driver, id) => String((await driver.exists(id)) ? await namesOf(driver, id) : "absent"),
  async tidy(driver, id) {
    if (await driver.exists(id)) await driver.remove(id);
  },
  before: operation.before.map(String),
  after: operation.after.map(String),
  assertClean: assertNothingStaged,
});

const ofSnapshotter = {
  open: (name, root) => openGraphDriverSnapshotter({ driver: factories[name], root }),
  async assertClean() {},
};

export const operations = {
  create: onDriver({
    prepare: prepareBase,
    run: (driver, id) => driver.createReadWrite(id, { parent: "base" }),
    before: ["absent"],
    after: [asCreated],
  }),
  "create of a spare": onDriver({
    async prepare(driver) {
      await prepareBase(driver);
      await driver.createReadWrite("earlier", { parent: "base" });
      await driver.remove("earlier");
      await untilSpare(driver);
    },
    async run(driver, id) {
      await driver.createReadWrite(id, { parent: "base" });
      await untilSpare(driver);
    },
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
  prepare: {
    ...ofSnapshotter,
    /** With one before it, behind which the next one's folders are made ahead, and which leaves its record to write. */
    async prepare(snapshotter) {
      const base = await kindOf(snapshotter, "base");
      if (base === "") {
        await snapshotter.prepare("base-key", {});
        await snapshotter.commit("base", "base-key", {});
      }
      await snapshotter.prepare("earlier", { parent: "base" });
      await snapshotter.remove("earlier");
      await pause(50);
    },
    run: (snapshotter, id) => snapshotter.prepare(`${id}-key`, { parent: "base" }),
    before: [""],
    after: ["active"],
    async look(snapshotter, id) {
      const found = await kindOf(snapshotter, id);
      if (found === "active") {
        const [{ source, options }] = await snapshotter.mounts(`${id}-key`);
        writeFileSync(`${upperOf({ source, options })}/file`, id);
        await snapshotter.commit(id, `${id}-key`, {});
        await snapshotter.remove(id);
      }
      return found;
    },
    async tidy() {},
  },
  commit: {
    ...ofSnapshotter,
    async prepare(snapshotter, id) {
      const [mount] = await snapshotter.prepare(`${id}-key`, {});
      writeFileSync(`${upperOf(mount)}/file`, id);
    },
    run: (snapshotter, id) => snapshotter.commit(id, `${id}-key`, {}),
    before: ["active"],
    after: ["committed"],
    async look(snapshotter, id) {
      const found = await kindOf(snapshotter, id);
      const key = found === "committed" ? `${id}-look` : `${id}-key`;
      if (found === "committed") await snapshotter.prepare(key, { parent: id });
      assert.ok(holdsFile(await snapshotter.mounts(key), id), `${id} has lost its file`);
      if (found === "committed") await snapshotter.remove(key);
      return found;
    },
    async tidy(snapshotter, id) {
      await snapshotter.remove((await kindOf(snapshotter, id)) === "committed" ? id : `${id}-key`);
    },
  },
};

/** Where an engine's writes go. */
function upperOf({ source, options }) {
  return options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length) ?? source;
}

async function kindOf(snapshotter, id) {
  const kinds = [];
  for await (const { name, kind } of snapshotter.list()) if (name === id || name === `${id}-key`) kinds.push(kind);
  return String(kinds);
}

function holdsFile([{ source, options }], content) {
  const folders = options.flatMap((option) => option.match(/^(?:lowerdir|upperdir)=(.*)/)?.[1].split(":") ?? []);
  return [source, ...folders].some((path) => {
    try {
      return readFileSync(`${path}/file`, "utf8") === content;
    } catch {
      return false;
    }
  });
}
