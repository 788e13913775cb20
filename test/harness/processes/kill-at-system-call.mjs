/**
 * Loaded into a process and its threads by `node --import`: numbers each system call that changes something, from the
 * moment that `armKill(n)` is called, and kills the process with SIGKILL right before the n-th.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import koffi from "koffi";

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

function tick() {
  if (Atomics.load(state, 0) === 0) return;
  Atomics.add(state, 1, 1);
  if (Atomics.sub(state, 0, 1) === 1) process.kill(process.pid, "SIGKILL");
}

const O_CREAT = 0o100;
const readsOnly = new Set(
  [
    "close lseek mmap munmap getsockopt fstatfs statx readlinkat getdents64 openat2 fgetxattr lgetxattr flistxattr",
    "llistxattr gettid getpid umask fchdir",
  ]
    .join(" ")
    .split(" "),
);

const { load } = koffi;
koffi.load = (/** @type {unknown[]} */ ...args) => {
  const library = load(...args);
  // What is on its prototype knows its own kind alone.
  return { func: (/** @type {unknown[]} */ ...declared) => counting(library.func(...declared)) };
};

const names = numbersOfThisMachine();

/** @param {any} native */
function counting(native) {
  const counted = (/** @type {any[]} */ ...args) => {
    if (changes(args)) tick();
    return native(...args);
  };
  return Object.assign(counted, {
    async: (/** @type {any[]} */ ...args) => {
      if (changes(args)) tick();
      return native.async(...args);
    },
  });
}

/** @param {any[]} args */
function changes([number, , , flags]) {
  const name = names.get(number) ?? "";
  return name === "openat" ? (flags & O_CREAT) !== 0 : !readsOnly.has(name);
}

function numbersOfThisMachine() {
  const source = fs.readFileSync(new URL("../../../dist/syscall/numbers.js", import.meta.url), "utf8");
  const table = source.slice(source.indexOf(`${process.arch}: {`)).split("}")[0] ?? "";
  return new Map([...table.matchAll(/(\w+): (\d+)/g)].map(([, name, number]) => [Number(number), name]));
}

const changing = [
  "writeFile write writev mkdir rmdir rm rename symlink link unlink truncate ftruncate fsync fdatasync",
  "chmod fchmod chown lchown utimes futimes cp copyFile appendFile mkdtemp",
]
  .join(" ")
  .split(" ");
for (const name of changing) {
  wrap(fs, `${name}Sync`);
  wrap(fs, name);
  wrap(fs.promises, name);
}
syncBuiltinESMExports();

const handle = await fs.promises.open("/dev/null");
for (const name of ["writeFile", "write", "writev", "truncate", "sync", "datasync", "appendFile"])
  wrap(Object.getPrototypeOf(handle), name);
await handle.close();

/** @param {any} object @param {string} name */
function wrap(object, name) {
  const original = object[name];
  if (typeof original !== "function") return;
  object[name] = function (/** @type {any[]} */ ...args) {
    tick();
    return original.apply(this, args);
  };
}
