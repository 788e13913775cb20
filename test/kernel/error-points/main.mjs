/**
 * `node --import …/fail-at-system-call.mjs main.mjs OPERATION DRIVER EVERY FOLDER`: does the operation again and again,
 * each time with another of its system calls failing, with each error that this may be answered; or with one call in
 * EVERY, and one error. Prints how many failures there were.
 */
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { CleatError } from "cleat/errors";

import { armFailure, disarmFailure } from "../../harness/processes/fail-at-system-call.mjs";
import { layerOperations } from "./layer-operations.mjs";
import { snapshotOperations } from "./snapshot-operations.mjs";
import { storeOperations } from "./store-operations.mjs";
import { volumeOperations } from "./volume-operations.mjs";

const operations = { ...layerOperations, ...snapshotOperations, ...storeOperations, ...volumeOperations };

/** What a disk that failed to write leaves: state until it is opened again, a snapshot's files for good. */
const untilOpened = /cannot be written any more, until they are opened again/;
const lost = /may be lost, and nothing brings it back/;

const [name, driver, everyText, folder] = process.argv.slice(2);
const every = Number(everyText);
const { open, options, prepare, run, look, tidy, before, after, assertClean, subjects = [] } = operations[name];
const home = `${folder}/home`;
const problems = [];
const injected = {};
process.on("unhandledRejection", (error) => problems.push(`nobody was told: ${error?.stack ?? error}`));

let opened = await open(driver, home, options);
try {
  await failAtAll();
  await opened.close();
  await assertClean(driver, home);
} catch (error) {
  problems.push(`it ended: ${error?.stack ?? error}`);
}
console.log(JSON.stringify({ injected, problems }));

async function failAtAll() {
  await runOnce("warm", Number.MAX_SAFE_INTEGER, 0);
  for (let number = 1, isOver = false; !isOver; number += every) {
    for (let pick = every === 1 ? 0 : number, kinds = pick + 1; pick < kinds; pick++) {
      const hit = await runOnce(`layer-${number}-${pick}`, number, pick);
      isOver = hit === undefined;
      if (every === 1 && hit !== undefined) ({ kinds } = hit);
    }
  }
}

/** Returns what failed. */
async function runOnce(id, number, pick) {
  await unlessBroken(() => prepare(opened, id));
  const { length: descriptors } = openPaths();
  armFailure(number % 2 ** 31, pick);
  let failure;
  try {
    await inTime(run(opened, id));
  } catch (error) {
    failure = error ?? new Error("nothing was thrown");
  }
  const { hit } = disarmFailure();
  if (hit !== undefined) injected[`${hit.name} ${hit.code}`] = (injected[`${hit.name} ${hit.code}`] ?? 0) + 1;
  const tell = (what, error) =>
    problems.push(`${what}, call ${number} ${JSON.stringify(hit)}: ${error?.stack ?? error} AFTER ${failure?.message}`);
  if (failure !== undefined) assertTold(failure, id, tell);
  if (process.env.SHOW) console.error(number, hit?.name, hit?.code, failure?.message);
  try {
    if (failure === undefined) assert.ok(after.includes(await look(opened, id)), "it succeeded, and was not done");
    else await repeat(id, { failure, tell, atOnce: pick % 2 === 0 });
  } catch (error) {
    tell("looking at it", error);
  }
  const left = await openBeyond(descriptors);
  if (left.length > 0) tell(`more than ${descriptors} descriptors`, left.join(" "));
  await unlessBroken(() => tidy(opened, id)).catch((error) => tell("removing it", error));
  return hit;
}

/** What was written behind may have failed meanwhile. */
async function unlessBroken(work) {
  try {
    return await work();
  } catch (error) {
    if (!untilOpened.test(error.message)) throw error;
    await opened.close().catch(() => {});
    opened = await open(driver, home, options);
    return await work();
  }
}

/** What was not done is not there, and can be done, by this process or by one that opens the store again. */
async function repeat(id, { failure, tell, atOnce }) {
  const found = await look(opened, id).catch((error) => tell("looking at what failed", error));
  if (![...before, ...after].includes(found)) tell("half made", found);
  const isBroken = untilOpened.test(failure.message);
  const isRepeated = atOnce && before.includes(found) && !isBroken && !lost.test(failure.message);
  if (isRepeated) await run(opened, id).catch((error) => tell("doing it again at once", error));
  await opened.close().catch((error) => (isBroken ? undefined : tell("closing", error)));
  opened = await open(driver, home, options);
  const reopened = await look(opened, id);
  // Whether a change was made that a broken disk has refused nobody knows.
  if (isBroken) assert.ok([...before, ...after].includes(reopened), `it is ${reopened}`);
  else if (reopened !== (isRepeated ? after[0] : found))
    tell("another when opened again", `${found} became ${reopened}`);
  if (isRepeated || after.includes(reopened) || lost.test(failure.message)) return;
  await run(opened, id).catch((error) => tell("doing it again", error));
  assert.ok(after.includes(await look(opened, id)), "it was done again, and is not there");
}

function assertTold(failure, id, tell) {
  if (!(failure instanceof CleatError)) return tell("no error of the contract", failure);
  if (["INTERNAL", "UNKNOWN"].includes(failure.code)) tell(`code ${failure.code}`, failure);
  if (failure.code === "UNIMPLEMENTED") tell("taken for something that the machine lacks", failure);
  const isNamed = [id, home, ...subjects].some((subject) => failure.message.includes(subject));
  if (failure.message.includes("\n") || !isNamed) tell("unclear", failure);
}

async function inTime(call) {
  const late = delay(240_000, undefined, { ref: false }).then(() => assert.fail("hangs"));
  await Promise.race([call, late]);
}

/** The paths of what is open below the folder; threads come and go, with descriptors of their own. */
function openPaths() {
  const pathOf = (descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return ""; // it was that of this look
    }
  };
  return readdirSync("/proc/self/fd")
    .map(pathOf)
    .filter((path) => path.startsWith(folder));
}

/** What is open when there is more than `count`, once what a failed call has made is deleted behind it. */
async function openBeyond(count) {
  let paths = openPaths();
  for (let tries = 1; tries < 100 && paths.length > count; tries++) {
    await delay(50);
    paths = openPaths();
  }
  return paths.length > count ? paths : [];
}
