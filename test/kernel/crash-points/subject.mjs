/**
 * `subject.mjs OPERATION DRIVER HOME ID NUMBER`: does one thing and is killed before its call of that number. Prints
 * how many there were when it lives to the end.
 */
import { writeSync } from "node:fs";

import { armKill, disarmKill } from "../../harness/processes/kill-at-system-call.mjs";
import { operations } from "./operations.mjs";

const [name, driver, home, id, number] = process.argv.slice(2);
const { open, options, prepare, run } = operations[name];
const opened = await open(driver, home, options);
await prepare(opened, id);
armKill(Number(number));
await run(opened, id);
const count = disarmKill();
writeSync(1, `${count}\n`);
process.kill(process.pid, "SIGKILL");
