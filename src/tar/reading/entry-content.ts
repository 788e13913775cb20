import { quoteBytes } from "../../errors/index.ts";
import type { ArchiveInput } from "../block/archive-input.ts";
import { noBytes, tarPaddingBytes } from "../block/block.ts";
import type { Entry } from "./entry.ts";
import type { SparseRegion } from "../block/header.ts";
import { toTruncatedError } from "../block/malformed.ts";

/** The content of one entry after the other, as it lies in the archive. */
export interface EntryContent {
  readonly chunkOffset: number;
  begin(entry: Entry): void;
  read(): Uint8Array | undefined;
  /** Leaves the rest, and the padding behind it. */
  skipRest(): void;
}

export function createEntryContent(input: ArchiveInput): EntryContent {
  let name: Buffer = noBytes;
  let storedLeft = 0;
  let paddingBytes = 0;
  let fileOffset = 0;
  let chunkOffset = 0;
  let regions: readonly SparseRegion[] | undefined;
  let regionIndex = 0;
  let regionLeft = 0;

  /** How far a chunk may reach; enters the next region where one is used up. */
  function reach(): number {
    if (regions === undefined) return storedLeft;
    if (regionLeft === 0) {
      const region = regions[regionIndex++] as SparseRegion;
      fileOffset = region.offset;
      regionLeft = region.sizeBytes;
    }
    return regionLeft;
  }

  function endsEarly(): Error {
    return toTruncatedError(
      input.offset,
      `${storedLeft + paddingBytes} bytes before the content of ${quoteBytes(name)} does`,
    );
  }

  return {
    get chunkOffset() {
      return chunkOffset;
    },
    begin({ header, storedBytes }) {
      name = header.name;
      storedLeft = storedBytes;
      paddingBytes = tarPaddingBytes(storedBytes);
      fileOffset = 0;
      chunkOffset = 0;
      regions = header.sparse;
      regionIndex = 0;
      regionLeft = 0;
    },
    read() {
      if (storedLeft === 0) return undefined;
      const chunk = input.readView(reach());
      if (chunk === undefined) throw endsEarly();
      storedLeft -= chunk.length;
      regionLeft -= chunk.length;
      chunkOffset = fileOffset;
      fileOffset += chunk.length;
      return chunk;
    },
    skipRest() {
      storedLeft -= input.skip(storedLeft);
      if (storedLeft === 0) paddingBytes -= input.skip(paddingBytes);
      if (storedLeft + paddingBytes > 0) throw endsEarly();
    },
  };
}
