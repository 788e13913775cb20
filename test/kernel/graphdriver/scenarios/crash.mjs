/** `kill -9` of a process in the middle of its work, and what the next one finds. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { assertNothingStaged, factories, filesOf, toLayer, trashOf, whenTrashIsEmpty } from "./layers.mjs";

/**
 * When the worker is killed: so many milliseconds after its start, where it opens the driver, or after so many lines,
 * each of which begins or ends a step of its work.
 */
const lives = [
  ...[220, 300].map((ms) => ({ lines: 0, ms })),
  ...[0, 2].map((ms) => ({ lines: 2, ms })),
  ...[0, 8, 25].map((ms) => ({ lines: 3, ms })),
  ...[0, 1].map((ms) => ({ lines: 5, ms })),
  { lines: 15, ms: 25 },
];

/** By day (`test/night.ts`) every fourth, beginning with another one for each driver. */
function livesOf(driver) {
  if (process.env["CLEAT_NIGHT"] !== undefined) return lives;
  const first = Object.keys(factories).indexOf(driver);
  return lives.filter((_, number) => number % 4 === first);
}

export const crashDuringApply = (driver, folder) => crashAgainAndAgain("apply", driver, folder);
export const crashDuringCreate = (driver, folder) => crashAgainAndAgain("create", driver, folder);
export const crashDuringRemove = (driver, folder) => crashAgainAndAgain("remove", driver, folder);
export const crashDuringExactApply = (driver, folder) =>
  crashAgainAndAgain("apply", driver, folder, ["cleat.exact_diffs=true"]);

async function crashAgainAndAgain(work, driver, folder, options = []) {
  const home = `${folder}/home`;
  for (const [number, life] of livesOf(driver).entries()) {
    const said = await workUntilKilled([work, driver, home, `life-${number}`, ...options], life);
    const opened = await factories[driver].open({ home, options });
    for (const [id, step] of said) await assertWholeOrAsCreated(opened, id, step);
    await opened.close();
    await assertNothingStaged(driver, home);
  }
}

/** What the worker said last of each layer. */
async function workUntilKilled(args, { lines, ms }) {
  const said = new Map();
  const worker = spawn(process.execPath, [`${import.meta.dirname}/crash-worker.mjs`, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(worker, "exit");
  let heard = 0;
  const kill = () => void delay(ms).then(() => worker.kill("SIGKILL"));
  if (lines === 0) kill();
  for await (const line of createInterface(worker.stdout)) {
    said.set(...line.split(" "));
    if (++heard === lines) kill();
  }
  assert.deepEqual(await ended, [null, "SIGKILL"], "the worker ended by itself");
  return said;
}

/** `step` is the last that the worker announced: what had begun may be done or not, what was done must be. */
async function assertWholeOrAsCreated(driver, id, step) {
  const exists = await driver.exists(id);
  if (step === "created" || step === "applying" || step === "applied") assert.ok(exists, `${id} is gone after ${step}`);
  if (step === "removed") assert.ok(!exists, `${id} is there after ${step}`);
  if (!exists) return;
  const names = await filesOf(driver, id);
  if (step === "applied") assert.ok(names > 0, `${id} is empty after ${step}`);
  assert.ok(names === 0 || names === toLayer.names, `${id} has ${names} of ${toLayer.names} files after ${step}`);
  if (!driver.capabilities.reproducesExactDiffs) return;
  const diff = Buffer.concat(await (await driver.diff(id)).toArray());
  assert.equal(diff.equals(toLayer.archive), names > 0, `${id} does not give back its archive after ${step}`);
}

/**
 * What a crash left to delete keeps no home shut, whatever its size: it is deleted while the home is served, by
 * whichever process lives long enough, and holds up no close.
 */
export async function crashDuringSweep(driver, folder) {
  const home = `${folder}/home`;
  await (await factories[driver].open({ home })).close();
  for (const part of ["staging", "trash"]) fillWithFiles(`${home}/.cleat/${part}/left`);
  await workUntilKilled(["sweep", driver, home], { lines: 1, ms: 20 });
  await (await factories[driver].open({ home })).close();
  assert.notDeepEqual(trashOf(home), [], "it was all deleted before the home was open");

  const opened = await factories[driver].open({ home });
  assert.notDeepEqual(trashOf(home), [], "it was all deleted before the home was open");
  await opened.create("layer");
  await opened.applyDiff("layer", undefined, toLayer.stream());
  assert.equal(await filesOf(opened, "layer"), toLayer.names);
  await opened.remove("layer");
  await whenTrashIsEmpty(home);
  await opened.close();
  await assertNothingStaged(driver, home);
}

function fillWithFiles(path) {
  for (let folder = 0; folder < 100; folder++) {
    mkdirSync(`${path}/${folder}`, { recursive: true });
    for (let file = 0; file < 200; file++) writeFileSync(`${path}/${folder}/${file}`, "");
  }
}

/** A mount that a killed process left in the staging folder, where drivers try whether they can mount. */
export async function staleProbeMount(driver, folder) {
  const home = `${folder}/home`;
  await (await factories[driver].open({ home })).close();
  const staged = `${home}/.cleat/staging/probe`;
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(`${staged}/${name}`, { recursive: true });
  const options = "lowerdir=lower,upperdir=upper,workdir=work";
  assert.equal(spawnSync("mount", ["-t", "overlay", "-o", options, "overlay", "merged"], { cwd: staged }).status, 0);
  await (await factories[driver].open({ home })).close();
  await assertNothingStaged(driver, home);
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(staged));
}
