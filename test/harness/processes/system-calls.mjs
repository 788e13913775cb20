/**
 * Has whatever this thread asks of the kernel pass by: the calls of Cleat's own, by number, and those of `node:fs`, one
 * for each function of it. Loaded into a process and its threads by `node --import`, before what is to be looked at;
 * threads of Node's pool and programs that are started are not seen.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import koffi from "koffi";

/**
 * A call that is about to be made: as the kernel or `node:fs` calls it, whether it changes something, may make a file,
 * and may reach a disk, which `/proc` does not.
 * @typedef {{ name: string, changes: boolean, creates: boolean, hasDisk: boolean }} SystemCall
 */

/**
 * `visit` answers the name of the error with which a call fails instead of being made, or nothing.
 * @param {(call: SystemCall) => string | undefined} visit
 */
export async function visitSystemCalls(visit) {
  const handle = await fs.promises.open("/dev/null");
  visitCleat(visit);
  for (const name of [...changing, ...reading]) {
    wrap(fs, `${name}Sync`, name, visit);
    wrap(fs, name, name, visit);
    wrap(fs.promises, name, name, visit);
  }
  syncBuiltinESMExports();
  const prototype = Object.getPrototypeOf(handle);
  for (const [method, name] of Object.entries(ofHandles)) wrap(prototype, method, name, visit);
  await handle.close();
}

const changing = words(`
  writeFile write writev mkdir rmdir rm rename symlink link unlink truncate ftruncate fsync fdatasync
  chmod fchmod chown lchown fchown utimes futimes cp copyFile appendFile mkdtemp`);
const reading = words(`
  open read readFile readdir readlink stat lstat fstat statfs realpath access exists`);
const ofHandles = {
  read: "read",
  readFile: "readFile",
  stat: "fstat",
  write: "write",
  writev: "writev",
  writeFile: "writeFile",
  appendFile: "appendFile",
  truncate: "ftruncate",
  sync: "fsync",
  datasync: "fdatasync",
  chmod: "fchmod",
  chown: "fchown",
  utimes: "futimes",
};

/** What asks only, or is done with the process itself. */
const readsOnly = new Set([
  ...reading,
  ...words(`
    close lseek mmap munmap getsockopt fstatfs statx readlinkat getdents64 openat2 fgetxattr lgetxattr flistxattr
    llistxattr gettid getpid umask fchdir`),
]);

/** @param {string} text */
function words(text) {
  return text.trim().split(/\s+/);
}

/** @param {string} name @param {unknown} [flags] @param {unknown} [path] @returns {SystemCall} */
function callOf(name, flags, path) {
  const creates =
    isOpen(name) &&
    (typeof flags === "number" ? (flags & fs.constants.O_CREAT) !== 0 : /[wa]/.test(String(flags ?? "r")));
  const hasDisk = !/^\/(?:proc|sys)\//.test(String(path));
  return { name, creates, hasDisk, changes: name === "openat" ? creates : !readsOnly.has(name) };
}

const isOpen = (/** @type {string} */ name) => name === "openat" || name === "open";

/** @param {(call: SystemCall) => string | undefined} visit */
function visitCleat(visit) {
  const names = numbersOfThisMachine();
  const { load } = koffi;
  const failureOf = (/** @type {any[]} */ [number, , , flags]) => visit(callOf(names.get(number) ?? "", flags));
  koffi.load = (/** @type {unknown[]} */ ...args) => {
    const library = load(...args);
    // What is on its prototype knows its own kind alone.
    return {
      func: (/** @type {unknown[]} */ ...declared) => {
        const native = library.func(...declared);
        const seen = (/** @type {any[]} */ ...given) => {
          const code = failureOf(given);
          return code === undefined ? native(...given) : failWith(code);
        };
        const async = (/** @type {any[]} */ ...given) => {
          const code = failureOf(given);
          if (code === undefined) return native.async(...given);
          const tell = given.at(-1);
          setImmediate(() => tell(null, failWith(code)));
        };
        return Object.assign(seen, { async });
      },
    };
  };
}

/** As libc's `syscall` does. @param {string} code */
function failWith(code) {
  koffi.errno(numberOf(code));
  return -1;
}

const numberOf = (/** @type {string} */ code) => /** @type {Record<string, number>} */ (constants.errno)[code] ?? 0;

function numbersOfThisMachine() {
  const source = fs.readFileSync(new URL("../../../dist/syscall/numbers.js", import.meta.url), "utf8");
  const table = source.slice(source.indexOf(`${process.arch}: {`)).split("}")[0] ?? "";
  return new Map([...table.matchAll(/(\w+): (\d+)/g)].map(([, name, number]) => [Number(number), name ?? ""]));
}

/**
 * @param {any} object @param {string} method @param {string} name
 * @param {(call: SystemCall) => string | undefined} visit
 */
function wrap(object, method, name, visit) {
  const original = object[method];
  if (typeof original !== "function") return;
  const seen = function (/** @type {any} */ ...args) {
    const code = isModule(args[0]) ? undefined : visit(callOf(name, args[1], args[0]));
    if (code === undefined) return original.apply(this, args);
    return failAs(nodesError(code, name, args[0]), { method, args, isSync: object === fs });
  };
  object[method] = Object.assign(seen, original); // `realpath.native`
}

/** What a thread is made of, as it starts. @param {unknown} path */
function isModule(path) {
  return path instanceof URL || (typeof path === "string" && /(?:\.[cm]?js|\.node|\/package\.json)$/.test(path));
}

/** @param {Error} error @param {{ method: string, args: any[], isSync: boolean }} call */
function failAs(error, { method, args, isSync }) {
  if (method === "existsSync") return false; // it tells no error
  if (method.endsWith("Sync")) throw error;
  if (!isSync) return Promise.reject(error);
  setImmediate(() => args.at(-1)(error));
}

/** Shaped and worded like one of Node's. @param {string} code @param {string} syscall @param {unknown} path */
function nodesError(code, syscall, path) {
  const errno = -numberOf(code);
  const [known, text] = getSystemErrorMap().get(errno) ?? [`Unknown system error ${errno}`, "unknown error"];
  const isPath = typeof path === "string";
  const error = new Error(`${known}: ${text}, ${syscall}${isPath ? ` '${path}'` : ""}`);
  return Object.assign(error, { errno, code: known, syscall, ...(isPath && { path }) });
}
