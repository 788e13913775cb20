/**
 * Descriptors belong to the whole process, and there are few (1,024 in many shells and units). The last ones are kept
 * for those who cannot wait: Node's own sockets, threads and modules. A worker that would take one of them waits first,
 * until other jobs have given theirs back.
 */
import { readFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const keptForOthers = 96;

/** The kernel hands out the lowest free number, so that a number tells how many are open. */
export const ampleBelow = readAmpleBelow();

/** Node raises the soft limit to the hard one when it starts. */
function readAmpleBelow(): number {
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Number.NaN);
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit - Math.min(keptForOthers, Math.floor(limit / 4));
}

/** For as long a worker waits, in all, before it takes what there is; then it does not wait again for as long. */
const patienceMs = 5_000;
const lookMs = 10;

const sleeper = new Int32Array(new SharedArrayBuffer(4));
let isPatientFromMs = 0;

/** Blocks until `isThere`; false where it was not within a worker's patience. The main thread never waits. */
export function waitForDescriptors(isThere: () => boolean): boolean {
  if (isMainThread) return false;
  const startMs = performance.now();
  if (startMs < isPatientFromMs) return false;
  while (performance.now() - startMs < patienceMs) {
    Atomics.wait(sleeper, 0, 0, lookMs);
    if (isThere()) return true;
  }
  isPatientFromMs = performance.now() + patienceMs;
  return false;
}
