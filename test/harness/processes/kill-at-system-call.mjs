/**
 * Loaded into a process and its threads by `node --import`: numbers each system call that changes something, from the
 * moment that `armKill(n)` is called, and kills the process with SIGKILL right before the n-th.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import { visitSystemCalls } from "./system-calls.mjs";

const key = "cleat kill at call";
if (isMainThread) setEnvironmentData(key, new Int32Array(new SharedArrayBuffer(8)));
/** How many are left until the kill, 0 while it is not armed; how many there were. */
const state = /** @type {Int32Array} */ (getEnvironmentData(key));

/** @param {number} number */
export function armKill(number) {
  Atomics.store(state, 1, 0);
  Atomics.store(state, 0, number);
}

/** Stops counting; how many calls there were. */
export function disarmKill() {
  Atomics.store(state, 0, 0);
  return Atomics.load(state, 1);
}

await visitSystemCalls(({ changes }) => {
  if (!changes || Atomics.load(state, 0) === 0) return undefined;
  Atomics.add(state, 1, 1);
  if (Atomics.sub(state, 0, 1) === 1) process.kill(process.pid, "SIGKILL");
  return undefined;
});
