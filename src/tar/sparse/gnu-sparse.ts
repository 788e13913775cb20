import type { ArchiveInput } from "../block/archive-input.ts";
import { blockBytes, type Field, fields } from "../block/block.ts";
import { toMalformedError, toTruncatedError } from "../block/malformed.ts";
import { parseNumberField } from "../block/number-field.ts";
import type { SparseMap } from "./sparse-map.ts";

const numberBytes = 12;
const pairBytes = 2 * numberBytes;
const pairsInHeader = 4;
const pairsInExtension = 21;

/** The file's size once unpacked, which an old GNU sparse header (flag `S`) keeps in a field of its own. */
export function parseGnuRealSize(block: Uint8Array, at: number): number {
  const size = parseNumberField(block, fields.gnuRealSize);
  if (!(size >= 0)) throw toMalformedError(at, "has no valid real size of a sparse file");
  return size;
}

/**
 * Reads the map of an old GNU sparse file: four pairs in the header, 21 in each extension block that follows it.
 * Extension blocks are read into `block`, over the header. They have no checksum and do not count into the entry's
 * size.
 * Source: GNU tar 1.34 `src/tar.h`, `struct oldgnu_header` and `struct sparse_header`.
 */
export function readGnuSparseMap(input: ArchiveInput, block: Uint8Array, at: number, map: SparseMap): void {
  let extended = addPairs(block, fields.gnuSparse.start, pairsInHeader, map);
  while (extended) {
    if (input.readInto(block) < blockBytes) {
      throw toTruncatedError(input.offset, `inside the sparse map of the header at byte ${at}`);
    }
    extended = addPairs(block, 0, pairsInExtension, map);
  }
}

/** Adds the pairs up to the first empty one, and returns the flag behind the last: whether an extension follows. */
function addPairs(block: Uint8Array, start: number, pairs: number, map: SparseMap): boolean {
  const end = start + pairs * pairBytes;
  for (let pair = start; pair < end && block[pair] !== 0; pair += pairBytes) {
    map.add(parseNumberField(block, numberAt(pair)), parseNumberField(block, numberAt(pair + numberBytes)));
  }
  return block[end] !== 0;
}

function numberAt(start: number): Field {
  return { label: "sparse region", start, bytes: numberBytes };
}
