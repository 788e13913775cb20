/** What is being done while the power fails, and what is to be found then. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

import { openGraphDriverSnapshotter } from "cleat/snapshotter";
import { buildArchive, file, folder } from "../graphdriver/scenarios/archives-and-trees.mjs";

import { assertNothingStaged, factories, streamOf } from "../graphdriver/scenarios/layers.mjs";

const contentOf = (id, name) => `${id} ${name} `.repeat(300);
const names = Array.from({ length: 12 }, (_, at) => `d${at % 3}/f${at}`);
const layerOf = (id) =>
  buildArchive([...[0, 1, 2].map((at) => folder(`d${at}`)), ...names.map((name) => file(name, contentOf(id, name)))]);

/** Graph driver `name`; `acked` marks come behind what was answered. */
export function layers(name, durability) {
  const homeOf = (disk) => `${disk}/home`;
  return {
    async work(disk, mark, rounds) {
      const driver = await factories[name].open({ home: homeOf(disk), durability });
      let parent;
      for (let round = 0; round < rounds; round++) {
        const id = `layer-${round}`;
        mark({ id, is: "being filled" });
        await driver.create(id, { parent });
        await driver.applyDiff(id, parent, streamOf(layerOf(id)));
        mark({ id, is: "whole" });
        const container = `container-${round}`;
        await driver.createReadWrite(container, { parent: id });
        mark({ id: container, is: "created" });
        if (round % 2 === 1) {
          mark({ id: container, is: "going" });
          await driver.remove(container);
          mark({ id: container, is: "gone" });
        }
        parent = round % 3 === 2 ? undefined : id;
      }
      await driver.close();
    },
    /** How each of the marked is found: "whole", "empty", "absent", "damaged". */
    async find(disk, ids) {
      const driver = await factories[name].open({ home: homeOf(disk), durability: "none" });
      const found = new Map();
      try {
        for (const id of ids) found.set(id, await stateOf(driver, id));
        for await (const { id } of driver.list()) if (!found.has(id)) found.set(id, await stateOf(driver, id));
      } finally {
        await driver.close();
      }
      await assertNothingStaged(name, homeOf(disk));
      return found;
    },
  };

  async function stateOf(driver, id) {
    if (!(await driver.exists(id))) return "absent";
    if (id.startsWith("container")) return "empty";
    try {
      const path = await driver.get(id, {});
      try {
        return filesState(path, id);
      } finally {
        await driver.put(id);
      }
    } catch (error) {
      return `damaged: ${error.message}`;
    }
  }
}

function filesState(path, id) {
  const read = names.map((name) => {
    try {
      return readFileSync(`${path}/${name}`, "utf8") === contentOf(id, name);
    } catch {
      return undefined;
    }
  });
  if (read.every((isSame) => isSame === true)) return "whole";
  // Of a layer that is not there yet its parent's files show through.
  return read.some((isSame) => isSame === true) ? "damaged: files are missing" : "empty";
}

/** A snapshotter over `name`: what was committed, and what is active. */
export function snapshots(name, durability) {
  const open = (disk) => openGraphDriverSnapshotter({ driver: factories[name], root: `${disk}/snapshots`, durability });
  return {
    ...(durability === "none" && { assertKept: assertRecorded }),
    async work(disk, mark, rounds) {
      const snapshotter = await open(disk);
      let parent;
      for (let round = 0; round < rounds; round++) {
        const [id, key] = [`layer-${round}`, `extract-${round}`];
        const [{ source, options }] = await snapshotter.prepare(key, { parent });
        mark({ id: key, is: "created" });
        const upper = options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length) ?? source;
        writeFileSync(`${upper}/${id}`, contentOf(id, id));
        mark({ id: key, is: "going" });
        await snapshotter.commit(id, key, {});
        mark({ id, is: "whole" });
        mark({ id: key, is: "gone" });
        await snapshotter.prepare(`container-${round}`, { parent: id });
        mark({ id: `container-${round}`, is: "created" });
        if (round % 2 === 1) {
          mark({ id: `container-${round}`, is: "going" });
          await snapshotter.remove(`container-${round}`);
          mark({ id: `container-${round}`, is: "gone" });
        }
        parent = round % 3 === 2 ? undefined : id;
      }
      await snapshotter.close();
    },
    async find(disk, ids) {
      const snapshotter = await open(disk);
      const found = new Map(ids.map((id) => [id, "absent"]));
      try {
        for await (const { name: id, kind } of snapshotter.list())
          found.set(id, kind === "committed" ? await committedState(snapshotter, id) : "empty");
      } finally {
        await snapshotter.close();
      }
      return found;
    },
  };
}

async function committedState(snapshotter, id) {
  let mounts;
  try {
    mounts = await snapshotter.view("look", { parent: id });
  } catch (error) {
    return `damaged: ${error.message}`;
  }
  const [{ source, options }] = mounts;
  try {
    const lowers = options.find((option) => option.startsWith("lowerdir="))?.slice("lowerdir=".length) ?? source;
    return stateOfFile(`${lowers.split(":")[0]}/${id}`, Buffer.from(contentOf(id, id)));
  } catch (error) {
    return `damaged: ${error.message}`;
  } finally {
    await snapshotter.remove("look");
  }
}

/** What was not written yet may be missing, or zeros; what anybody else has written must not show. */
function stateOfFile(path, content) {
  const found = readFileSync(path);
  if (found.equals(content)) return "whole";
  return found.every((byte, at) => byte === 0 || byte === content[at])
    ? "damaged: its file is not whole"
    : "foreign: its file holds what it never did";
}

/**
 * What must not be: something that was acknowledged, and is not so. `as` is the last mark of each; what was only begun
 * may be there or not, but is whole or empty. A layer that `create` made is to last only once it is filled.
 */
export function assertKept(found, as) {
  for (const [id, state] of found) {
    const is = as.get(id);
    if (is !== "being filled") assert.doesNotMatch(state, /^(damaged|foreign)/, id);
    if (is === "whole") assert.equal(state, "whole", id);
    if (is === "created") assert.notEqual(state, "absent", id);
  }
}

/** Files may be lost, records not: a snapshot is there under its name for as long as it was to be. */
function assertRecorded(found, as) {
  for (const [id, state] of found) {
    const is = as.get(id);
    assert.ok(!state.startsWith("foreign"), `${id} is ${state}`);
    if (is === "whole" || is === "created") assert.notEqual(state, "absent", id);
    if (is === "gone") assert.equal(state, "absent", id);
  }
}
