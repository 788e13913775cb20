import { blockBytes } from "../block/block.ts";
import type { SparseRegion } from "../block/header.ts";
import { toMalformedError } from "../block/malformed.ts";

/** Collects the data regions of one sparse file and checks each against the one before it. */
export interface SparseMap {
  /**
   * @throws INVALID_ARGUMENT when the numbers are none, the region overlaps or precedes the last one, is one too many,
   * or lies behind one whose data ends within a block: GNU tar reads each region from a block of its own, the others
   * go on where the last one ended. All who write sparse files end only the last one so.
   */
  add(offset: number, sizeBytes: number): void;
  /**
   * The regions that hold data. Empty ones, which writers put at the end to tell the file's size, are left out.
   * @throws INVALID_ARGUMENT when they end beyond the file, or before it, where it ends for GNU tar and not for the
   * others; or are not exactly what the archive stores: otherwise the rest of the content would be read as headers, or
   * headers as content.
   */
  finish(fileBytes: number, storedBytes: number): readonly SparseRegion[];
}

/** `at` is the offset of the entry's header, for messages. */
export function createSparseMap(at: number, maxRegions: number): SparseMap {
  const regions: SparseRegion[] = [];
  let count = 0;
  let end = 0;
  let mappedBytes = 0;
  return {
    add(offset, sizeBytes) {
      if (!(offset >= end && sizeBytes >= 0 && Number.isSafeInteger(offset + sizeBytes))) {
        throw toMalformedError(
          at,
          `has a sparse region of ${sizeBytes} bytes at ${offset}, behind one that ends at ${end}`,
        );
      }
      if (sizeBytes > 0 && mappedBytes % blockBytes !== 0)
        throw toMalformedError(at, `has a sparse region at ${offset} behind one whose data ends within a block`);
      if (++count > maxRegions) throw toMalformedError(at, `has more than ${maxRegions} sparse regions`);
      end = offset + sizeBytes;
      mappedBytes += sizeBytes;
      if (sizeBytes > 0) regions.push({ offset, sizeBytes });
    },
    finish(fileBytes, storedBytes) {
      if (end !== fileBytes)
        throw toMalformedError(at, `has sparse regions that end at ${end} in a file of ${fileBytes} bytes`);
      if (mappedBytes !== storedBytes) {
        throw toMalformedError(at, `has sparse regions of ${mappedBytes} bytes but stores ${storedBytes}`);
      }
      return regions;
    },
  };
}
