/**
 * Random layers of a driver, on the built package, in a process of their own: `main.mjs JSON`. Three generations of
 * containers write, each on the last; then what the driver says of the third, and of all three, is held against what
 * whole readings of the trees say. Prints one line of JSON: how many cases ran, and of a failure all that it takes to
 * run it again.
 */
import assert from "node:assert/strict";

import * as fc from "fast-check";

import { btrfs, overlay2, vfs } from "cleat/drivers";
import { assertSameTree, expectedChanges, readTree } from "cleat/testing";
import { createWorkerPool } from "#dist/workers/index.js";

// What the package does not export: the kit's views of trees, and the diff that drivers fall back to.
import { createNaiveDiff } from "#dist/graphdriver/diff/naive-diff.js";
import { createLayerLocks } from "#dist/graphdriver/home/guards/layer-locks.js";
import { readArchive } from "#dist/testing/archive/read-archive.js";
import { asArchived, withoutFolderTimes, withoutLinks } from "#dist/testing/tree/tree.js";
import { faults } from "./faults.mjs";
import { assertSameDiffs } from "./same-diffs.mjs";
import { createClock, perform } from "./perform.mjs";
import { stepsOf } from "./steps.mjs";

const { driver: name, folder, cases, seed, path, fault, limitMs } = JSON.parse(process.argv[2]);

const faultless = await { overlay2, btrfs, vfs }[name].open({ home: `${folder}/home`, durability: "none" });
const driver = { ...faultless, ...faults[fault]?.(faultless) };
const pool = createWorkerPool();
// Told nothing by the driver: it reads all that is alike.
const jobs = { url: new URL("unknowing-jobs.mjs", import.meta.url).href };
const locks = createLayerLocks();
const place = { path: `${folder}/home`, pool, locks, within: () => place };
const naive = createNaiveDiff(faultless, place, jobs, { ids: { uids: [], gids: [] }, archiveDialect: "docker-26" });

let layers = 0;

async function checkCase(generations) {
  const stamp = createClock();
  const made = [];
  try {
    const trees = [];
    for (const steps of generations) {
      const id = await makeLayer(made, "createReadWrite", made.at(-1));
      trees.push(await visit(id, (root) => (perform(root, steps, stamp), readTree(root))));
    }
    const [bottom, middle, top] = made;
    const [before, between, after] = trees;
    await checkDiff({ made, id: top, parent: middle, before: between, after });
    await checkDiff({ made, id: top, parent: bottom, before, after });
    await checkDiff({ made, id: middle, parent: bottom, before, after: between });
  } finally {
    for (const id of made.toReversed()) await driver.remove(id);
  }
}

async function checkDiff({ made, id, parent, before, after }) {
  const expected = expectedChanges(before, after);
  assert.deepEqual(await listChanges(driver, id, parent), expected, "the driver's changes");
  assert.deepEqual(await listChanges(naive, id, parent), expected, "the naive changes");

  const native = await readAll(await driver.diff(id, parent));
  const compared = await readAll(await naive.diff(id, parent));
  const changed = new Set(expected.map((change) => change.slice(change.indexOf("/") + 1)));
  assertSameDiffs(readArchive(native), readArchive(compared), changed);

  for (const [archive, view] of [
    [native, isFromUpper && parent === made[made.indexOf(id) - 1] ? asLayer : asLayerOfOwnFiles],
    [compared, asLayerOfOwnFiles],
  ]) {
    const copy = await makeLayer(made, "create", parent);
    await driver.applyDiff(copy, parent, [archive]);
    assertSameTree(view(await visit(copy, readTree)), view(after), "the layer that the diff was applied to");
  }
}

/** Whether the driver reads the diff to the layer right below from its own bookkeeping. */
const isFromUpper = name === "overlay2";
const asLayer = (tree) => withoutFolderTimes(asArchived(tree));
/** Two trees do not tell that a file of the parent got another name, or that two of its names became two files. */
const asLayerOfOwnFiles = (tree) => withoutLinks(asLayer(tree));

async function makeLayer(made, method, parent) {
  const id = `layer-${(layers += 1)}`;
  await driver[method](id, { parent });
  made.push(id);
  return id;
}

async function visit(id, look) {
  const root = await driver.get(id, {});
  try {
    return look(root);
  } finally {
    await driver.put(id);
  }
}

async function listChanges(of, id, parent) {
  const changes = await of.changes(id, parent);
  return changes.map((change) => `${change.kind} ${change.path.toString("latin1")}`);
}

async function readAll(stream) {
  return Buffer.concat(await stream.toArray());
}

const startedMs = performance.now();
try {
  const generations = fc.tuple(stepsOf(25), stepsOf(20), stepsOf(20));
  const { failed, numRuns, counterexamplePath, counterexample, errorInstance, ...details } = await fc.check(
    fc.asyncProperty(generations, checkCase),
    {
      numRuns: cases,
      // A failure is reported also when there is no time left to make it smaller.
      interruptAfterTimeLimit: limitMs,
      markInterruptAsFailure: true,
      endOnFailure: fault !== undefined || path !== undefined,
      ...(seed !== undefined && { seed }),
      ...(path !== undefined && { path }),
    },
  );
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const error = errorInstance?.stack ?? "out of time";
  const failure = failed ? { path: counterexamplePath, error, steps: counterexample } : undefined;
  console.log(JSON.stringify({ cases: numRuns, seconds, seed: details.seed, failure }));
} finally {
  await driver.cleanup();
  await driver.close();
  await pool.close();
}
