import { quoteBytes } from "../../errors/index.ts";
import { toMalformedError } from "../block/malformed.ts";

/**
 * The records of a PAX header, keys by their bytes as latin1. Of a key that comes twice the last one counts, as
 * everywhere.
 */
export type PaxRecords = ReadonlyMap<string, Buffer>;

export const noPaxRecords: PaxRecords = new Map();

export const xattrKeyPrefix = "SCHILY.xattr.";
export const sparseKeyPrefix = "GNU.sparse.";
export const sparseMapKey = "GNU.sparse.map";

/**
 * Keys whose values end up as C strings: what stands after a NUL would be seen by some readers only. Go refuses it too.
 */
const cStringKeys: ReadonlySet<string> = new Set(["path", "linkpath", "uname", "gname", "GNU.sparse.name"]);

const newline = 0x0a;
const space = 0x20;
const equalsSign = 0x3d;

/**
 * Reads `LENGTH KEY=VALUE\n` records. The values are views of `data`.
 * @throws INVALID_ARGUMENT when a length does not lead from a record's start to just behind its newline, or a key is
 * empty or has a NUL. Readers that resynchronise after such a record see other names than those that trust its length.
 */
export function parsePaxRecords(data: Buffer, at: number): PaxRecords {
  const records = new Map<string, Buffer>();
  const sparsePairs: string[] = [];
  for (let start = 0; start < data.length;) {
    const keyStart = data.indexOf(space, start) + 1;
    const end = start + parseRecordLength(data, start, keyStart - 1);
    // Written so that a NaN, from a length that is not a number, fails too.
    if (!(end > keyStart && end <= data.length) || data[end - 1] !== newline) throw badRecord(data, start, at);
    const equals = data.indexOf(equalsSign, keyStart);
    if (equals <= keyStart || equals >= end) throw badRecord(data, start, at);
    const key = data.toString("latin1", keyStart, equals);
    const value = data.subarray(equals + 1, end - 1);
    if (key.includes("\0") || (cStringKeys.has(key) && value.includes(0))) {
      throw toMalformedError(at, `has a PAX record ${quoteBytes(data.subarray(keyStart, end - 1))} with a NUL in it`);
    }
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
      collectSparsePair(sparsePairs, key, value, at);
    } else {
      records.set(key, value);
    }
    start = end;
  }
  if (sparsePairs.length > 0) {
    if (records.has(sparseMapKey)) throw toMalformedError(at, "has two sparse maps, of versions 0.0 and 0.1");
    records.set(sparseMapKey, Buffer.from(sparsePairs.join(",")));
  }
  return records;
}

/** Decimal digits only: a sign is accepted by Go and by nobody else. */
function parseRecordLength(data: Buffer, start: number, end: number): number {
  let length = end > start ? 0 : NaN;
  for (let at = start; at < end; at++) {
    const digit = (data[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    length = length * 10 + digit;
    // What is too long already gets no shorter, and a megabyte of digits is not worth reading.
    if (length > data.length) return NaN;
  }
  return length;
}

/** Sparse version 0.0 repeats two keys by turns, against the rules of PAX; version 0.1 is the same as a list. */
function collectSparsePair(pairs: string[], key: string, value: Buffer, at: number): void {
  const expected = pairs.length % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes";
  if (key !== expected || value.includes(",")) {
    throw toMalformedError(
      at,
      `has a PAX record ${quoteBytes(Buffer.from(`${key}=${value}`))} where ${expected} is due`,
    );
  }
  pairs.push(value.toString("latin1"));
}

function badRecord(data: Buffer, start: number, at: number): Error {
  return toMalformedError(at, `has a malformed PAX record ${quoteBytes(data.subarray(start, start + 64))}`);
}

/** One record, whose length counts its own digits. */
export function formatPaxRecord(key: string, value: Uint8Array): Buffer {
  const body = key.length + value.length + 3;
  let length = body + String(body).length;
  length = body + String(length).length;
  const record = Buffer.allocUnsafe(length);
  const valueStart = record.write(`${length} ${key}=`, "latin1");
  record.set(value, valueStart);
  record[length - 1] = newline;
  return record;
}

/** A decimal number without a sign; NaN when it is none or not a safe integer. */
export function parsePaxNumber(value: Buffer): number {
  return parseDecimal(value.toString("latin1", 0, 32));
}

/** As `parsePaxNumber`, with or without a minus before it. */
export function parsePaxInteger(value: Buffer): number {
  return value[0] === minus ? -parsePaxNumber(value.subarray(1)) : parsePaxNumber(value);
}

const minus = 0x2d;

export function parseDecimal(text: string): number {
  const number = /^\d{1,20}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : NaN;
}
