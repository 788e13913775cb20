import koffi from "koffi";
import { CleatError, SystemError } from "../errors/index.ts";
import { type SystemCallName, systemCallNumbers } from "./numbers.ts";

type Argument = "int" | "uint" | "long" | "void *";

/**
 * Numbers are passed as they are; a buffer is passed by address and must outlive the call, which every call here does.
 */
type NativeCall = (...args: readonly (number | bigint | Uint8Array | null)[]) => number;

const libc = koffi.load(null);

function numbersOfThisMachine(): Readonly<Record<SystemCallName, number>> {
  const { arch } = process;
  if (arch === "x64" || arch === "arm64") return systemCallNumbers[arch];
  throw new CleatError("UNIMPLEMENTED", `system calls on "${arch}" are not known to Cleat, only x64 and arm64`);
}

const numbers = numbersOfThisMachine();

/**
 * Binds one system call with the types of its arguments. The bound function returns what the kernel returned, −1 for a
 * failure whose errno `lastErrno` then tells; callers use `check` for that.
 */
export function bindSystemCall(name: SystemCallName, ...types: readonly Argument[]): NativeCall {
  const native = libc.func("syscall", "long", ["long", ...types]) as unknown as (...args: unknown[]) => number;
  const number = numbers[name];
  switch (types.length) {
    case 1:
      return (a) => native(number, a);
    case 2:
      return (a, b) => native(number, a, b);
    case 3:
      return (a, b, c) => native(number, a, b, c);
    case 4:
      return (a, b, c, d) => native(number, a, b, c, d);
    case 5:
      return (a, b, c, d, e) => native(number, a, b, c, d, e);
    default:
      return (a, b, c, d, e, f) => native(number, a, b, c, d, e, f);
  }
}

/**
 * Called with what failed before the kernel was asked, or with what the kernel returned; `lastErrno` is that call's
 * then.
 */
export type Told = (failed: Error | null, result: number) => void;

/** As `bindSystemCall`, for a call of numbers that may take long: on a thread of Node's pool. */
export function bindSystemCallBehind(
  name: SystemCallName,
  ...types: readonly Argument[]
): (args: readonly number[], tell: Told) => void {
  const native = libc.func("syscall", "long", ["long", ...types]);
  const number = numbers[name];
  return (args, tell) => native.async(number, ...args, tell);
}

/** The errno of this thread's last failed call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Passes a successful result on; a failure becomes a `SystemError` that names the call and the path. */
export function check(result: number, syscall: string, path?: PathBytes): number {
  if (result >= 0) return result;
  throw new SystemError(lastErrno(), syscall, path);
}

/** A path or a single name. Bytes are taken as they are; text is encoded as UTF-8. */
export type PathBytes = string | Uint8Array;

const pathMaxBytes = 4096;

/**
 * Each thread reuses two buffers for path arguments, so that a call on a path costs no allocation. A result is valid
 * until the next use of the same slot.
 */
const slots = [Buffer.alloc(pathMaxBytes), Buffer.alloc(pathMaxBytes)] as const;

/**
 * The path as a C string.
 * @throws SystemError EINVAL when it holds a NUL, which C would take for its end; ENAMETOOLONG from 4,096 bytes on.
 */
export function cString(path: PathBytes, slot: 0 | 1 = 0): Uint8Array {
  const buffer = slots[slot];
  const bytes = typeof path === "string" ? Buffer.from(path) : path;
  if (bytes.length >= pathMaxBytes) throw new SystemError(errnos.ENAMETOOLONG, "path", path.slice(0, 64));
  // Names are short: a loop costs less than the two native calls that would copy and search.
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) throw new SystemError(errnos.EINVAL, "path", path);
    buffer[at] = byte;
  }
  buffer[bytes.length] = 0;
  return buffer;
}

/** The path that `AT_EMPTY_PATH` goes with. */
export const emptyPath: Uint8Array = new Uint8Array(1);

/** The errnos that code asks for by name. Source: `asm-generic/errno-base.h`, `errno.h`, Linux v6.1. */
export const errnos = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  ENXIO: 6,
  E2BIG: 7,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  ENOSPC: 28,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ENOTCONN: 107,
  EINPROGRESS: 115,
  EDQUOT: 122,
} as const;
