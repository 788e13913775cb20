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
    if (names.length > maxNames) throw toTooManyError();
  }
  return names.toSorted(Buffer.compare);
}

/** What a folder says of a name in it. */
export interface DirectoryEntry {
  readonly name: Buffer;
  /** The same as a byte string. */
  readonly text: string;
  /** Whether the folder says that it is a regular file; not every file system says what anything is. */
  readonly isRegular: boolean;
}

/** As `readNames`, with what the folder says of each. @throws RESOURCE_EXHAUSTED likewise. */
export function readEntries(descriptor: number): DirectoryEntry[] {
  const found: DirectoryEntry[] = [];
  while (
    readSome(descriptor, (name, type) => {
      found.push({ name, text: name.toString("latin1"), isRegular: type === DT_REG });
    })
  ) {
    if (found.length > maxNames) throw toTooManyError();
  }
  // Of byte strings, so that no name costs a call for each of its comparisons.
  return found.toSorted((a, b) => (a.text < b.text ? -1 : 1));
}

/** Adds the next names, a few thousand at the most, unsorted; false at the end of the folder. */
export function readSomeNames(descriptor: number, names: Buffer[]): boolean {
  return readSome(descriptor, (name) => void names.push(name));
}

/** `struct linux_dirent64`. Offsets: getdents64(2). */
function readSome(descriptor: number, add: (name: Buffer, type: number) => void): boolean {
  throwIfCancelled();
  const filled = check(getdents64Call(descriptor, buffer, buffer.length), "getdents64");
  const entries = Buffer.from(buffer.subarray(0, filled));
  for (let at = 0; at < filled; at += entries.readUInt16LE(at + 16)) {
    const name = entries.subarray(at + 19, entries.indexOf(0, at + 19));
    if (!isDotOrDotDot(name)) add(name, entries[at + 18] as number);
  }
  return filled > 0;
}

function toTooManyError(): CleatError {
  return new CleatError("RESOURCE_EXHAUSTED", `folder holds more than ${maxNames} names`);
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

/** Source: `linux/fs_types.h` v6.1. */
const DT_UNKNOWN = 0;
const DT_REG = 8;
