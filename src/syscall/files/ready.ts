/**
 * Descriptors that do not block (sockets of Node's): what there is now is read, what there is room for now is written,
 * and a thread that may block waits for more.
 */
import { SystemError } from "../../errors/index.ts";
import { bindSystemCall, check, errnos, lastErrno } from "../libc.ts";

const readCall = bindSystemCall("read", "int", "void *", "long");
const writeCall = bindSystemCall("write", "int", "void *", "long");
const sendfileCall = bindSystemCall("sendfile", "int", "int", "void *", "long");
const ppollCall = bindSystemCall("ppoll", "void *", "long", "void *", "void *", "long");
const fcntlCall = bindSystemCall("fcntl", "int", "int", "long");

/** Source: `asm-generic/poll.h`, `include/uapi/linux/fcntl.h` v6.1. */
const POLLIN = 0x1;
const POLLOUT = 0x4;
const F_DUPFD_CLOEXEC = 1030;

/** `struct pollfd` (poll(2)): the descriptor, what is asked for, what is so; and a `struct timespec`. */
const polled = new DataView(new ArrayBuffer(8));
const polledBytes = new Uint8Array(polled.buffer);
const timeout = new BigInt64Array(2);
const timeoutBytes = new Uint8Array(timeout.buffer);

/**
 * A further descriptor of what `descriptor` has open, which stays open when that one is closed; the caller's to close.
 */
export function duplicate(descriptor: number): number {
  return check(fcntlCall(descriptor, F_DUPFD_CLOEXEC, 0), "fcntl F_DUPFD_CLOEXEC");
}

/** Reads into `buffer` what there is now, 0 at the end; `undefined` where there is nothing yet. */
export function readNow(descriptor: number, buffer: Uint8Array): number | undefined {
  return countNow("read", () => readCall(descriptor, buffer, buffer.length));
}

/** Writes of `bytes` what there is room for now; `undefined` where there is none. */
export function writeNow(descriptor: number, bytes: Uint8Array): number | undefined {
  return countNow("write", () => writeCall(descriptor, bytes, bytes.length));
}

/**
 * Writes of the next bytes of an open file, at most `sizeBytes`, what there is room for now, 0 at its end; `undefined`
 * where there is no room. Of a file in memory nothing is copied on the way to a socket.
 * @throws SystemError EINVAL where the file system cannot.
 */
export function sendNow(descriptor: number, file: number, sizeBytes: number): number | undefined {
  return countNow("sendfile", () => sendfileCall(descriptor, file, null, sizeBytes));
}

function countNow(name: string, call: () => number): number | undefined {
  for (;;) {
    const count = call();
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno === errnos.EAGAIN) return undefined;
    if (errno !== errnos.EINTR) throw new SystemError(errno, name);
  }
}

/** Blocks until there is something to read, or the end, for `timeoutMs` at the most. */
export function waitUntilReadable(descriptor: number, timeoutMs: number): void {
  waitUntil(descriptor, POLLIN, timeoutMs);
}

/** Blocks until there is room to write, or nobody reads any more, for `timeoutMs` at the most. */
export function waitUntilWritable(descriptor: number, timeoutMs: number): void {
  waitUntil(descriptor, POLLOUT, timeoutMs);
}

function waitUntil(descriptor: number, event: number, timeoutMs: number): void {
  polled.setInt32(0, descriptor, true);
  polled.setInt16(4, event, true);
  timeout[0] = BigInt(Math.floor(timeoutMs / 1000));
  timeout[1] = BigInt((timeoutMs % 1000) * 1_000_000);
  if (ppollCall(polledBytes, 1, timeoutBytes, null, 0) >= 0) return;
  const errno = lastErrno();
  if (errno !== errnos.EINTR) throw new SystemError(errno, "ppoll");
}
