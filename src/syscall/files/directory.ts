import { CleatError } from "../../errors/index.ts";
import { throwIfCancelled } from "../cancellation.ts";
import { bindSystemCall, check } from "../libc.ts";

const getdents64Call = bindSystemCall("getdents64", "int", "void *", "long");

/** One thread reads one folder at a time, so one buffer serves. */
const buffer = Buffer.alloc(64 * 1024);

/** Names held at once; beyond, a folder is refused rather than a thread's memory filled. */
const maxNames = 4_000_000;

/**
 * The names in an open folder, but for `.` and `..`, sorted by their bytes as Go's `filepath.Walk` sorts them. Reads
 * from where the descriptor stands: once per descriptor.
 * @throws RESOURCE_EXHAUSTED when the folder holds more than four million.
 */
export function readNames(descriptor: number): Buffer[] {
  const names: Buffer[] = [];
  while (readSomeNames(descriptor, names)) {
    if (names.length > maxNames) throw new CleatError("RESOURCE_EXHAUSTED", `folder holds more than ${maxNames} names`);
  }
  return names.toSorted(Buffer.compare);
}

/** Adds the next names, a few thousand at the most, unsorted; false at the end of the folder. */
export function readSomeNames(descriptor: number, names: Buffer[]): boolean {
  throwIfCancelled();
  const filled = check(getdents64Call(descriptor, buffer, buffer.length), "getdents64");
  const entries = Buffer.from(buffer.subarray(0, filled));
  for (let at = 0; at < filled; at += entries.readUInt16LE(at + 16)) {
    const name = entries.subarray(at + 19, entries.indexOf(0, at + 19));
    if (!isDotOrDotDot(name)) names.push(name);
  }
  return filled > 0;
}

const dot = 0x2e;

function isDotOrDotDot(name: Buffer): boolean {
  return name[0] === dot && (name.length === 1 || (name.length === 2 && name[1] === dot));
}

/**
 * Whether the file system that holds an open, not empty folder tells the type of its files (`d_type`, which overlay
 * needs).
 */
export function recordsEntryTypes(descriptor: number): boolean {
  const filled = check(getdents64Call(descriptor, buffer, buffer.length), "getdents64");
  for (let at = 0; at < filled; at += buffer.readUInt16LE(at + 16)) {
    if (buffer[at + 18] === DT_UNKNOWN) return false;
  }
  return true;
}

const DT_UNKNOWN = 0;
