import { quoteBytes } from "../../errors/index.ts";
import type { ArchiveInput } from "../block/archive-input.ts";
import { blockBytes, fields, tarPaddingBytes } from "../block/block.ts";
import { readHeaderBlock } from "./read-header-block.ts";
import { decodeSize } from "../block/header-block.ts";
import { type Entry, type EntryPreface, finishEntry } from "./entry.ts";
import type { TarReaderOptions } from "../block/limits.ts";
import { toMalformedError, toTruncatedError } from "../block/malformed.ts";
import { mergeGlobalPax } from "../pax/pax-merge.ts";
import { noPaxRecords, parsePaxRecords, type PaxRecords } from "../pax/pax-records.ts";
import { typeFlag } from "../block/type-flag.ts";

/** Reads an entry's headers up to its own and puts them together; `undefined` at the archive's end. */
export interface EntryReader {
  next(): Entry | undefined;
}

export function createEntryReader(input: ArchiveInput, limits: TarReaderOptions): EntryReader {
  const block = Buffer.alloc(blockBytes);
  let global = noPaxRecords;
  let entries = 0;

  /** The content of the header in `block`, with its padding; its own size counts whatever PAX header came before it. */
  function readPadded(at: number, label: string, maxBytes: number): { readonly bytes: Buffer; sizeBytes: number } {
    const sizeBytes = decodeSize(block, at);
    if (sizeBytes > maxBytes) throw toMalformedError(at, `is a ${label} of ${sizeBytes} bytes, more than ${maxBytes}`);
    const bytes = Buffer.allocUnsafe(sizeBytes + tarPaddingBytes(sizeBytes));
    if (input.readInto(bytes) < bytes.length) throw toTruncatedError(input.offset, `inside the ${label} at byte ${at}`);
    return { bytes, sizeBytes };
  }

  function readRecords(at: number, label: string): PaxRecords {
    const { bytes, sizeBytes } = readPadded(at, label, limits.maxPaxBytes);
    return parsePaxRecords(bytes.subarray(0, sizeBytes), at);
  }

  /** GNU tar reads the name on to the first NUL, be that in the padding; the others read as far as the size says. */
  function readLongName(at: number, label: string): Buffer {
    const { bytes, sizeBytes } = readPadded(at, label, limits.maxNameBytes);
    const end = bytes.indexOf(0);
    if (end > sizeBytes || (end === -1 && bytes.length > sizeBytes))
      throw toMalformedError(at, `is a ${label} that goes on behind its size`);
    // Go passes over it, libarchive does not.
    if (end === 0 || sizeBytes === 0) throw toMalformedError(at, `is an empty ${label}`);
    return bytes.subarray(0, end === -1 ? sizeBytes : end);
  }

  function skipVolumeLabel(at: number): void {
    const sizeBytes = decodeSize(block, at);
    const storedBytes = sizeBytes + tarPaddingBytes(sizeBytes);
    if (input.skip(storedBytes) < storedBytes)
      throw toTruncatedError(input.offset, `inside the volume label at byte ${at}`);
  }

  /** Reads the next header into `block`; false at the archive's end, which between entries may lack its blocks. */
  function readHeader(at: number, hasPreface: boolean): boolean {
    const mayEnd = entries > 0 && !hasPreface && !limits.needsEndBlocks;
    if (readHeaderBlock(input, block, mayEnd, limits.maxTrailingBytes)) return true;
    if (hasPreface) throw toMalformedError(at, "ends the archive behind a header that describes an entry");
    return false;
  }

  /** Takes in a header that stands before those of entries; false of an entry's own. */
  function readPreface(at: number, preface: EntryPreface, hasPreface: boolean): boolean {
    const flag = block[fields.typeFlag.start] as number;
    switch (flag) {
      case typeFlag.paxLocal:
        refuseSecond(preface.pax, "PAX header", at);
        preface.pax = readRecords(at, "PAX header");
        return true;
      case typeFlag.gnuLongName:
        refuseSecond(preface.longName, "GNU long name", at);
        preface.longName = readLongName(at, "GNU long name");
        return true;
      case typeFlag.gnuLongLinkName:
        refuseSecond(preface.longLinkName, "GNU long link name", at);
        preface.longLinkName = readLongName(at, "GNU long link name");
        return true;
      case typeFlag.paxGlobal:
        refuseBetween(hasPreface, flag, at);
        global = mergeGlobalPax(global, readRecords(at, "global PAX header"), at);
        return true;
      case typeFlag.gnuVolumeLabel:
        refuseBetween(hasPreface, flag, at);
        skipVolumeLabel(at);
        return true;
      default:
        return false;
    }
  }

  return {
    next() {
      const preface: EntryPreface = { pax: undefined, longName: undefined, longLinkName: undefined };
      for (;;) {
        const at = input.offset;
        const hasPreface = isFilled(preface);
        if (!readHeader(at, hasPreface)) return undefined;
        if (readPreface(at, preface, hasPreface)) continue;
        if (++entries > limits.maxEntries)
          throw toMalformedError(at, `is beyond entry ${limits.maxEntries}, the last allowed`);
        return finishEntry(input, block, at, preface, global, limits);
      }
    },
  };
}

function isFilled({ pax, longName, longLinkName }: EntryPreface): boolean {
  return pax !== undefined || longName !== undefined || longLinkName !== undefined;
}

/** Go and GNU tar let the second PAX header replace the first, libarchive 3.6 muddles the two. */
function refuseSecond(first: unknown, label: string, at: number): void {
  if (first !== undefined) throw toMalformedError(at, `is the second ${label} of one entry`);
}

/** Go 1.19 forgets an entry's own headers when a global one comes between; GNU tar and libarchive do not. */
function refuseBetween(hasPreface: boolean, flag: number, at: number): void {
  if (!hasPreface) return;
  const shown = quoteBytes(Buffer.of(flag));
  throw toMalformedError(at, `has type flag ${shown} and stands between an entry and the headers that describe it`);
}
