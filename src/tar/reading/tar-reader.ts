import { type ArchiveInput, createArchiveInput } from "../block/archive-input.ts";
import type { ByteSource } from "../block/byte-source.ts";
import type { Entry } from "./entry.ts";
import { createEntryContent } from "./entry-content.ts";
import { createEntryReader } from "./entry-reader.ts";
import type { TarHeader } from "../block/header.ts";
import { defaultTarLimits, type TarReaderOptions } from "../block/limits.ts";

/**
 * Reads an archive entry by entry. A file is written, sparse or not, by
 *
 *     while ((chunk = reader.read()) !== undefined) pwrite(fd, chunk, reader.chunkOffset);
 *     ftruncate(fd, header.sizeBytes);
 *
 * Where a call throws, all later calls throw the same.
 */
export interface TarReader {
  /**
   * Leaves the rest of the current entry and returns the next one, `undefined` at the archive's end. The source has
   * then been read to its own end.
   * @throws INVALID_ARGUMENT when the archive is malformed, exceeds a limit, or has not a single byte.
   * @throws DATA_LOSS when the archive is truncated.
   */
  next(): TarHeader | undefined;
  /**
   * The next bytes of the current entry's content, at least one; `undefined` at its end and before the first entry.
   * They are a view into what the source returned, valid until the next call. Of a sparse file they are what
   * `header.sparse` maps, and never cross from one region into the next.
   * @throws DATA_LOSS when the archive is truncated.
   */
  read(): Uint8Array | undefined;
  /** Where in the file the chunk last read belongs. */
  readonly chunkOffset: number;
}

/**
 * A reader of v7, ustar, star, PAX and GNU archives, mixed as they come. Where readers disagree about what an archive
 * holds it does as Go's `archive/tar` (and so Docker) or refuses the archive, so that nothing is smuggled past whoever
 * looked at it with another tool; which of the two, and why, stands at the line that decides.
 */
export function createTarReader(source: ByteSource, options: Partial<TarReaderOptions> = {}): TarReader {
  return createReaderOf(createArchiveInput(source), options, unwatched);
}

/** Is told what a reader finds. */
export interface ReaderWatch {
  /** Before anything of the entry's content is read. */
  began(entry: Entry): void;
  /** Once, when the input has been read to its end. */
  finish(): void;
}

const unwatched: ReaderWatch = { began() {}, finish() {} };

export function createReaderOf(input: ArchiveInput, options: Partial<TarReaderOptions>, watch: ReaderWatch): TarReader {
  const entries = createEntryReader(input, { ...defaultTarLimits, needsEndBlocks: false, ...options });
  const content = createEntryContent(input);
  let hasEnded = false;
  let failure: unknown;

  return {
    next() {
      if (failure !== undefined) throw failure;
      if (hasEnded) return undefined;
      try {
        content.skipRest();
        const entry = entries.next();
        if (entry === undefined) {
          watch.finish();
          hasEnded = true;
          return undefined;
        }
        watch.began(entry);
        content.begin(entry);
        return entry.header;
      } catch (error) {
        failure = error;
        throw error;
      }
    },
    read() {
      if (failure !== undefined) throw failure;
      try {
        return content.read();
      } catch (error) {
        failure = error;
        throw error;
      }
    },
    get chunkOffset() {
      return content.chunkOffset;
    },
  };
}
