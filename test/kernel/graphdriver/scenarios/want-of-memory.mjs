/**
 * A process that the kernel kills for want of memory, in the middle of many applies, and what the next one finds. A
 * neighbour in its control group takes all that there is; the kernel is told which of the two to kill.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { assertWholeOrAsCreated } from "./crash.mjs";
import { assertNothingStaged, factories } from "./layers.mjs";

const maxBytes = 400 * 2 ** 20;
/** Where the neighbour begins: after so many layers that were acknowledged. */
const lives = [1, 4, 9, 20];

export async function outOfMemory(driver, folder) {
  const home = `${folder}/home`;
  const acknowledged = new Set();
  for (const [number, layers] of lives.entries()) {
    const said = await workUntilOutOfMemory(["apply-many", driver, home, `life-${number}`], layers);
    const opened = await factories[driver].open({ home });
    for (const [id, step] of said) {
      await assertWholeOrAsCreated(opened, id, step);
      if (step === "applied") acknowledged.add(id);
    }
    for (const id of acknowledged) await assertWholeOrAsCreated(opened, id, "applied");
    await opened.close();
    await assertNothingStaged(driver, home);
  }
  const there = readdirSync(layersOf[driver]?.(home) ?? home).filter((name) => !name.startsWith(".") && name !== "l");
  for (const id of there) assert.match(id, /^life-\d-\d-\d+$/);
  assert.ok(acknowledged.size >= lives.reduce((sum, layers) => sum + layers, 0));
}

const layersOf = { vfs: (home) => `${home}/dir`, btrfs: (home) => `${home}/subvolumes` };

async function workUntilOutOfMemory(args, layers) {
  const group = makeGroup();
  const said = new Map();
  try {
    const worker = startIn(group, 1000, [process.execPath, `${import.meta.dirname}/crash-worker.mjs`, ...args]);
    const ended = once(worker, "exit");
    let neighbour;
    let applied = 0;
    for await (const line of createInterface(worker.stdout)) {
      const [id, step] = line.split(" ");
      said.set(id, step);
      if (step === "applied" && ++applied === layers)
        neighbour = startIn(group, -1000, [process.execPath, "-e", taking]);
    }
    const outcome = await ended;
    neighbour?.kill("SIGKILL");
    if (neighbour !== undefined) await once(neighbour, "exit");
    assert.deepEqual(outcome, [null, "SIGKILL"], "the worker was not killed");
    assert.ok(killsIn(group) > 0, "it was not the kernel that killed it");
    return said;
  } finally {
    await removeGroup(group);
  }
}

/** A megabyte each millisecond, as long as there is any. Ends by itself after half a minute. */
const taking = `
  const taken = [];
  setInterval(() => taken.length < ${maxBytes / 2 ** 20} && taken.push(Buffer.alloc(2 ** 20, 1)), 1);
  setTimeout(() => process.exit(), 30_000);
`;

const unified = "/sys/fs/cgroup";
const isUnified = existsSync(`${unified}/cgroup.controllers`);

function makeGroup() {
  const group = `${isUnified ? unified : `${unified}/memory`}/cleat-memory-${process.pid}`;
  mkdirSync(group);
  writeFileSync(`${group}/${isUnified ? "memory.max" : "memory.limit_in_bytes"}`, String(maxBytes));
  return group;
}

function startIn(group, oomScore, command) {
  const script = 'echo $$ >"$1/cgroup.procs"; echo "$2" >/proc/self/oom_score_adj; shift 2; exec "$@"';
  return spawn("sh", ["-ec", script, "sh", group, String(oomScore), ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function killsIn(group) {
  const text = readFileSync(`${group}/${isUnified ? "memory.events" : "memory.oom_control"}`, "utf8");
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1]);
}

async function removeGroup(group) {
  for (const pid of readFileSync(`${group}/cgroup.procs`, "utf8").split("\n").filter(Boolean)) {
    process.kill(Number(pid), "SIGKILL");
  }
  for (let waits = 0; ; waits++) {
    try {
      return rmdirSync(group);
    } catch (error) {
      if (error.code !== "EBUSY" || waits === 100) throw error;
    }
    await delay(50);
  }
}
