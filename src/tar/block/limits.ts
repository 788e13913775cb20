/**
 * What an archive may ask of its reader. More than that is refused with INVALID_ARGUMENT, and before the memory is
 * allocated.
 */
export interface TarLimits {
  /**
   * Bytes of one PAX header's records, local or global. Default 1 MiB, as in Go (`archive/tar` 1.19) and libarchive.
   */
  readonly maxPaxBytes: number;
  /** Bytes of one GNU long name or long link name (flags `L`, `K`). Default 1 MiB, as in Go. */
  readonly maxNameBytes: number;
  /** Data regions of one sparse file. Default 262,144: some 16 MiB of memory. */
  readonly maxSparseRegions: number;
  /**
   * Extended attributes of one entry. Default 1,024; Linux lists at most 64 KiB of names per file. Their bytes are a
   * part of `maxPaxBytes`, in which they come.
   */
  readonly maxXattrs: number;
  /** Entries of the archive. Default 10,000,000, beyond what file systems hold in practice. */
  readonly maxEntries: number;
  /** Bytes after the end blocks, which are read and thrown away. Default 1 GiB. */
  readonly maxTrailingBytes: number;
}

/** How an archive is read. */
export interface TarReaderOptions extends TarLimits {
  /** Whether an archive without end blocks is refused as truncated. Default false: Go and GNU tar accept it. */
  readonly needsEndBlocks: boolean;
}

export const defaultTarLimits: TarLimits = {
  maxPaxBytes: 1 << 20,
  maxNameBytes: 1 << 20,
  maxSparseRegions: 1 << 18,
  maxXattrs: 1024,
  maxEntries: 10_000_000,
  maxTrailingBytes: 1 << 30,
};
