/**
 * `main.mjs FILE-SYSTEM SUBJECT DRIVER DURABILITY ROUNDS COUNT FOLDER`: records what a subject does to a disk, and
 * looks at COUNT states or more in which the power may leave that. Prints a line of JSON with what was found.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

import { lookAtStates } from "./disk-states.mjs";
import { mountDisk, recordDisk } from "./recorded-disk.mjs";
import { records } from "./records.mjs";
import { assertKept, layers, snapshots } from "./subjects.mjs";
import { readLog } from "./write-log.mjs";

const [fileSystem, kind, driver, durability, rounds, count, folder] = process.argv.slice(2);
const subject = { layers, snapshots, records }[kind](driver, durability);
const assertAll = subject.assertKept ?? (durability === "none" ? () => {} : assertKept);
const [memory, disk] = [`${folder}/memory`, `${folder}/disk`];
for (const path of [memory, disk]) mkdirSync(path);
execFileSync("mount", ["-t", "tmpfs", "-o", "size=3g", "memory", memory]);

const recorded = await recordDisk(fileSystem, memory, disk);
await subject.work(disk, recorded.mark, Number(rounds));
await recorded.close();
const events = readLog(recorded);

const tally = {};
const failures = [];
const plan = { base: recorded.base, events, image: `${memory}/state`, count: Number(count), seed: 1 };
const states = await lookAtStates(plan, async (image, { marks, loss, after }) => {
  const as = new Map(marks.map(({ id, is }) => [id, is]));
  try {
    mountDisk(fileSystem, image, disk);
    try {
      const found = await subject.find(disk, [...as.keys()]);
      for (const [id, state] of found) {
        const row = `${(as.get(id) ?? "begun").split(":")[0]}: ${state.split(":")[0]}`;
        tally[row] = (tally[row] ?? 0) + 1;
      }
      assertAll(found, as);
    } finally {
      // A mount that the driver has let go of may be the kernel's to end yet.
      execFileSync("umount", ["--lazy", disk]);
    }
  } catch (error) {
    failures.push(`after event ${after} of ${events.length}, unflushed ${loss}: ${error.message}`);
  }
});
console.log(JSON.stringify({ fileSystem, kind, driver, durability, events: events.length, states, tally, failures }));
process.exit(0);
