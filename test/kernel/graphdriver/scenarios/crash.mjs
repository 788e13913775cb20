/** `kill -9` of a process in the middle of its work, and what the next one finds. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { assertNothingStaged, factories, filesOf, toLayer } from "./layers.mjs";

/** How long the worker lives, from its start (it opens the driver) or from its first words (it goes through rounds of work). */
const lives = [
  ...[220, 260, 300, 340].map((ms) => ({ ms, from: "start" })),
  ...[2, 6, 12, 20, 35, 60, 95, 140, 200, 280].map((ms) => ({ ms, from: "work" })),
];

export const crashDuringApply = (driver, folder) => crashAgainAndAgain("apply", driver, folder);
export const crashDuringCreate = (driver, folder) => crashAgainAndAgain("create", driver, folder);
export const crashDuringRemove = (driver, folder) => crashAgainAndAgain("remove", driver, folder);

async function crashAgainAndAgain(work, driver, folder) {
  const home = `${folder}/home`;
  let layers = 0;
  for (const [number, life] of lives.entries()) {
    const said = await workUntilKilled([work, driver, home, `life-${number}`], life);
    const opened = await factories[driver].open({ home });
    for (const [id, step] of said) await assertWholeOrAsCreated(opened, id, step);
    await opened.close();
    assertNothingStaged(driver, home);
    layers += said.size;
  }
  // Each life that is counted from the first words has said something of a layer.
  assert.ok(layers >= lives.filter(({ from }) => from === "work").length, `only ${layers} layers were worked on`);
}

/** What the worker said last of each layer. */
async function workUntilKilled(args, { ms, from }) {
  const said = new Map();
  const worker = spawn(process.execPath, [`${import.meta.dirname}/crash-worker.mjs`, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(worker.stdout).on("line", (line) => said.set(...line.split(" ")));
  const closed = Promise.all([once(lines, "close"), once(worker, "exit")]);
  if (from === "work") await once(lines, "line");
  await delay(ms);
  worker.kill("SIGKILL");
  const [, [, signal]] = await closed;
  assert.equal(signal, "SIGKILL", "the worker ended by itself");
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
  assertNothingStaged(driver, home);
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(staged));
}
