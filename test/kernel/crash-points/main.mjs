/**
 * `main.mjs OPERATION DRIVER EVERY FOLDER`: kills the operation before each of its system calls that change something,
 * or before one in EVERY, and once behind the last: then it was acknowledged. Prints how many there were.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { operations } from "./operations.mjs";

const [name, driver, every, folder] = process.argv.slice(2);
const { open, options, look, tidy, before, after, assertClean } = operations[name];
const home = `${folder}/home`;

const program = [
  "--import",
  join(import.meta.dirname, "../../harness/processes/kill-at-system-call.mjs"),
  join(import.meta.dirname, "subject.mjs"),
];
const failures = [];
let number = 1;
let points = 0;
for (let isDone = false; !isDone; number += Number(every)) {
  const id = `layer-${number}`;
  const { stdout, stderr, signal } = spawnSync(process.execPath, [...program, name, driver, home, id, String(number)], {
    encoding: "utf8",
  });
  if (signal !== "SIGKILL") throw new Error(`the subject ended by itself: ${stderr}`);
  isDone = stdout !== "";
  points++;
  try {
    const opened = await open(driver, home, options);
    try {
      const found = await look(opened, id);
      assert.ok([...(isDone ? [] : before), ...after].includes(found), `${id} holds ${found}`);
      await tidy(opened, id);
    } finally {
      await opened.close();
    }
    await assertClean(driver, home);
  } catch (error) {
    failures.push(`before call ${number}${isDone ? ", acknowledged" : ""}: ${error.stack}`);
  }
}
console.log(JSON.stringify({ name, driver, points, failures }));
