/**
 * Loaded into a process and its threads by `node --import`: numbers each system call that can fail, from the moment
 * that `armFailure(n, pick)` is called, and has the n-th fail with one of the errors that the kernel has for it.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import { visitSystemCalls } from "./system-calls.mjs";

const key = "cleat fail at call";
if (isMainThread) {
  setEnvironmentData(key, {
    numbers: new Int32Array(new SharedArrayBuffer(16)),
    text: new Uint8Array(new SharedArrayBuffer(4096)),
  });
}
/** How many are left until the failure, 0 while it is not armed; how many there were; which error; bytes of `text`. */
const { numbers, text } = /** @type {{ numbers: Int32Array, text: Uint8Array }} */ (
  /** @type {unknown} */ (getEnvironmentData(key))
);

/** @param {number} number @param {number} pick */
export function armFailure(number, pick) {
  Atomics.store(numbers, 1, 0);
  Atomics.store(numbers, 2, pick);
  Atomics.store(numbers, 3, 0);
  Atomics.store(numbers, 0, number);
}

/**
 * Stops counting. How many calls there were, and what failed, if it came to that: `kinds` is of how many errors the
 * call has one was picked.
 * @returns {{ count: number, hit?: { name: string, code: string, kinds: number, where: string } }}
 */
export function disarmFailure() {
  Atomics.store(numbers, 0, 0);
  const count = Atomics.load(numbers, 1);
  const length = Atomics.load(numbers, 3);
  return length === 0 ? { count } : { count, hit: JSON.parse(Buffer.from(text.slice(0, length)).toString()) };
}

const reading = ["EIO", "ENOMEM"];
const opening = ["ENOMEM", "EMFILE", "ENFILE", "EIO"];
const making = ["ENOSPC", "EIO", "ENOMEM"];
const flushing = ["EIO", "ENOSPC"];

/** What each may be answered, beyond what its arguments deserve: the section on errors of its page in man 2. */
const errorsOf = groups([
  ["openat openat2 open_tree fsopen fsmount open readFile readdir", opening],
  ["statx newfstatat readlinkat getdents64 fgetxattr lgetxattr flistxattr llistxattr fstatfs lseek", reading],
  ["readlink stat lstat fstat statfs realpath access exists", reading],
  ["mkdirat mknodat symlinkat linkat renameat2 setxattr lsetxattr fsetxattr", making],
  ["mkdir mkdtemp symlink link rename writeFile appendFile cp copyFile", making],
  ["fremovexattr lremovexattr fchmodat fchmod fchownat utimensat chmod chown lchown fchown utimes futimes", making],
  ["unlinkat unlink rmdir rm", ["EIO", "ENOMEM", "ENOSPC"]],
  ["write writev", ["ENOSPC", "EIO", "EDQUOT"]],
  ["read", ["EIO", "ENOMEM", "EINTR"]],
  ["copy_file_range sendfile", ["ENOSPC", "EIO", "ENOMEM"]],
  ["ftruncate truncate fallocate", ["ENOSPC", "EIO"]],
  ["fsync fdatasync syncfs", flushing],
  ["ioctl quotactl quotactl_fd", ["ENOMEM", "EIO", "ENOSPC"]],
  ["flock", ["ENOLCK", "EINTR"]],
  ["mount fsconfig move_mount mount_setattr", ["ENOMEM", "EIO"]],
  ["umount2", ["EBUSY", "ENOMEM"]],
  ["mmap unshare", ["ENOMEM"]],
]);

/** @param {[string, string[]][]} rows */
function groups(rows) {
  return new Map(
    rows.flatMap(([names, errors]) => names.split(" ").map((name) => /** @type {const} */ ([name, errors]))),
  );
}

/** @param {import("./system-calls.mjs").SystemCall} call */
function errorsAt({ name, creates, hasDisk }) {
  const errors = isOpen(name) && creates ? [...opening, "ENOSPC"] : errorsOf.get(name);
  return hasDisk ? errors : errors?.filter((code) => code !== "EIO");
}

const isOpen = (/** @type {string} */ name) => name === "openat" || name === "open";

await visitSystemCalls((call) => {
  if (Atomics.load(numbers, 0) === 0) return undefined;
  const errors = errorsAt(call);
  if (errors === undefined) return undefined;
  Atomics.add(numbers, 1, 1);
  if (Atomics.sub(numbers, 0, 1) !== 1) return undefined;
  const code = errors[Atomics.load(numbers, 2) % errors.length] ?? "";
  const where =
    new Error().stack
      ?.split("\n")
      .slice(3, 9)
      .map((line) => line.trim().replace(/.*\/dist\//, "")) ?? [];
  const told = Buffer.from(
    JSON.stringify({ name: call.name, code, kinds: errors.length, where: where.join(" < ").slice(0, 1500) }),
  );
  text.set(told.subarray(0, text.length));
  Atomics.store(numbers, 3, told.length);
  return code;
});
