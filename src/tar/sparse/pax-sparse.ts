import { quoteBytes, quoteText } from "../../errors/index.ts";
import type { ArchiveInput } from "../block/archive-input.ts";
import { blockBytes } from "../block/block.ts";
import { toMalformedError, toTruncatedError } from "../block/malformed.ts";
import { parseDecimal, parsePaxNumber, type PaxRecords, sparseKeyPrefix, sparseMapKey } from "../pax/pax-records.ts";
import type { SparseMap } from "./sparse-map.ts";

/** What GNU.sparse records say of the file; where its data lies stands in the records or before the content. */
export interface PaxSparse {
  readonly name: Buffer | undefined;
  readonly fileBytes: number | undefined;
  readonly mapPrecedesContent: boolean;
}

/**
 * The GNU.sparse records of an entry, `undefined` when it has none. Versions 0.0 (made into 0.1 while parsing) and 0.1
 * need not name their version.
 * @throws INVALID_ARGUMENT when the version is unknown, or there are records but no map: GNU tar would take the name
 * and the size from them, Go would not.
 */
export function parsePaxSparse(records: PaxRecords, at: number): PaxSparse | undefined {
  if (!hasSparseRecords(records)) return undefined;
  const version = `${textOf(records, "GNU.sparse.major")}.${textOf(records, "GNU.sparse.minor")}`;
  const isInline = version === "0.0" || version === "0.1" || (version === "." && textOf(records, sparseMapKey) !== "");
  if (!isInline && version !== "1.0") {
    throw toMalformedError(at, `has GNU.sparse records of version ${quoteText(version)} instead of 0.0, 0.1 or 1.0`);
  }
  const name = records.get("GNU.sparse.name");
  const size = nonEmpty(records.get("GNU.sparse.size")) ?? nonEmpty(records.get("GNU.sparse.realsize"));
  const fileBytes = size === undefined ? undefined : parsePaxNumber(size);
  if (Number.isNaN(fileBytes))
    throw toMalformedError(at, `has an invalid GNU.sparse size ${quoteBytes(size as Buffer)}`);
  return { name: nonEmpty(name), fileBytes, mapPrecedesContent: !isInline };
}

function hasSparseRecords(records: PaxRecords): boolean {
  for (const key of records.keys()) if (key.startsWith(sparseKeyPrefix)) return true;
  return false;
}

/** Versions 0.0 and 0.1: `offset,size,offset,size…` in one record, the number of pairs in another. */
export function addInlineSparseMap(records: PaxRecords, at: number, map: SparseMap): void {
  const list = records.get(sparseMapKey) ?? Buffer.alloc(0);
  const count = parsePaxNumber(records.get("GNU.sparse.numblocks") ?? Buffer.alloc(0));
  const numbers = list.length === 0 ? [] : list.toString("latin1").split(",");
  if (numbers.length !== 2 * count) {
    throw toMalformedError(at, `has a sparse map of ${numbers.length} numbers where ${count} pairs are announced`);
  }
  for (let i = 0; i < numbers.length; i += 2) {
    map.add(parseDecimal(numbers[i] as string), parseDecimal(numbers[i + 1] as string));
  }
}

/**
 * Version 1.0: decimal numbers, each ended by a newline, at the front of the content and padded to whole blocks; first
 * the number of pairs. Returns how many of the entry's `storedBytes` they take.
 */
export function readLeadingSparseMap(input: ArchiveInput, storedBytes: number, at: number, map: SparseMap): number {
  const block = Buffer.alloc(blockBytes);
  let read = 0;
  let used = blockBytes;

  function nextNumber(): number {
    let text = "";
    for (;;) {
      if (used === blockBytes) {
        if (read + blockBytes > storedBytes)
          throw toMalformedError(at, "has a sparse map that is longer than its content");
        if (input.readInto(block) < blockBytes) {
          throw toTruncatedError(input.offset, `inside the sparse map of the header at byte ${at}`);
        }
        read += blockBytes;
        used = 0;
      }
      const byte = block[used++] as number;
      if (byte === 0x0a) return parseDecimal(text);
      text += String.fromCharCode(byte);
      if (text.length > 20) return NaN;
    }
  }

  const count = nextNumber();
  if (Number.isNaN(count)) throw toMalformedError(at, "has a sparse map that does not begin with a number");
  for (let i = 0; i < count; i++) map.add(nextNumber(), nextNumber());
  return read;
}

function textOf(records: PaxRecords, key: string): string {
  return records.get(key)?.toString("latin1", 0, 20) ?? "";
}

/** An empty value takes a record back, as if it were not there. */
function nonEmpty(value: Buffer | undefined): Buffer | undefined {
  return value === undefined || value.length === 0 ? undefined : value;
}
