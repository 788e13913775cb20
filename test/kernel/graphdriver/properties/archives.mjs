/**
 * Random archives, on the built package, in a process of their own: `archives.mjs JSON`. Layers whose archives name few
 * files many times, hide some and announce only some of their folders, in any order, are applied by each of the drivers
 * and to a plain folder; the trees are the same, and so is what each driver says of them. Prints one line of JSON, as
 * `main.mjs` does.
 */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";

import * as fc from "fast-check";

import { btrfs, fuseOverlayfs, overlay2, vfs } from "cleat/drivers";
import * as entries from "cleat/testing";

import { createReplay } from "#dist/testing/tree/replay.js";
import { asArchived, withoutFolderTimes, withoutLinks } from "#dist/testing/tree/tree.js";

const { drivers: names, folder, cases, seed, path, limitMs } = JSON.parse(process.argv[2]);
const factories = { overlay2, "fuse-overlayfs": fuseOverlayfs, btrfs, vfs };
const drivers = [];
for (const name of names) {
  drivers.push(await factories[name].open({ home: `${folder}/${name}`, durability: "none" }));
}

const name = fc.constantFrom("a", "b", "c");
const paths = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const modes = fc.constantFrom(0o755, 0o700, 0o1777, 0o2750);
const owners = fc.constantFrom(0, 7);

/** What is not a folder and may not be one on the way. */
const leaf = paths.map((of) => `${of}/leaf`);

const entry = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(paths, fc.nat(3)).map(([of, size]) => entries.file(of, "x".repeat(size))) },
  { weight: 2, arbitrary: leaf.map((of) => entries.file(of, "leaf")) },
  { weight: 3, arbitrary: fc.tuple(paths, modes, owners).map(([of, mode, uid]) => entries.folder(of, { mode, uid })) },
  { weight: 1, arbitrary: leaf.map((of) => entries.symlink(of, "nowhere")) },
  { weight: 1, arbitrary: leaf.map((of) => entries.fifo(of)) },
  { weight: 4, arbitrary: fc.oneof(paths, leaf).map((of) => entries.whiteout(of)) },
  { weight: 2, arbitrary: fc.oneof(paths, leaf).map((of) => entries.device("character-device", of, [0, 0])) },
  { weight: 2, arbitrary: paths.map((of) => entries.opaque(of)) },
  { weight: 1, arbitrary: fc.constant(entries.file(".wh..wh..opq", "", { mode: 0 })) },
);
const layers = fc.array(fc.array(entry, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 });

let made = 0;

async function checkCase(archives) {
  const replay = createReplay(mkdtempSync(`${folder}/replay-`));
  const stack = [];
  try {
    for (const archive of archives) {
      const layer = `layer-${(made += 1)}`;
      const parent = stack.at(-1);
      const outcomes = await Promise.all(drivers.map((driver) => applyTo(driver, layer, parent, archive)));
      const [first] = outcomes;
      for (const [at, outcome] of outcomes.entries()) {
        assert.equal(outcome, first, `${names[at]} answers ${outcome}, ${names[0]} ${first}`);
      }
      if (first !== "applied") {
        for (const driver of drivers) await driver.remove(layer);
        continue;
      }
      stack.push(layer);
      const before = withoutFolderTimes(replay.tree());
      replay.apply(archive);
      for (const driver of drivers) await checkLayer(driver, layer, parent, before, withoutFolderTimes(replay.tree()));
    }
  } finally {
    for (const layer of stack.toReversed()) for (const driver of drivers) await driver.remove(layer);
  }
}

async function applyTo(driver, layer, parent, archive) {
  await driver.create(layer, { parent });
  return driver.applyDiff(layer, parent, [entries.buildArchive(archive)]).then(
    () => "applied",
    (error) => error.code,
  );
}

async function checkLayer(driver, layer, parent, before, expected) {
  const tree = await readLayer(driver, layer);
  entries.assertSameTree(tree, expected, `${driver.name}: ${layer}`);
  const found = await driver.changes(layer, parent);
  const changes = found.map(({ kind, path: of }) => `${kind} ${of.toString("latin1")}`);
  assert.deepEqual(changes, entries.expectedChanges(before, expected), `${driver.name}: changes of ${layer}`);
  const copy = `${layer}-copy`;
  await driver.create(copy, { parent });
  try {
    await driver.applyDiff(copy, parent, await driver.diff(layer, parent));
    const view = (of) => withoutLinks(asArchived(of));
    entries.assertSameTree(view(await readLayer(driver, copy)), view(tree), `${driver.name}: a copy of ${layer}`);
  } finally {
    await driver.remove(copy);
  }
}

async function readLayer(driver, layer) {
  const root = await driver.get(layer, {});
  try {
    return withoutFolderTimes(entries.readTree(root));
  } finally {
    await driver.put(layer);
  }
}

const startedMs = performance.now();
try {
  const { failed, numRuns, counterexamplePath, counterexample, errorInstance, ...details } = await fc.check(
    fc.asyncProperty(layers, checkCase),
    {
      numRuns: cases,
      interruptAfterTimeLimit: limitMs,
      markInterruptAsFailure: true,
      ...(seed !== undefined && { seed }),
      ...(path !== undefined && { path }),
    },
  );
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const steps = counterexample?.[0].map((archive) => archive.map(describe));
  const failure = failed
    ? { path: counterexamplePath, error: errorInstance?.stack ?? "out of time", steps }
    : undefined;
  console.log(JSON.stringify({ cases: numRuns, seconds, seed: details.seed, failure }));
} finally {
  for (const driver of drivers) {
    await driver.cleanup();
    await driver.close();
  }
}

function describe({ header: { name: of, type, mode, uid } }) {
  return `${type} ${of} ${mode.toString(8)} ${uid}`;
}
