export { blockBytes, tarEndBlocks, tarPaddingBytes } from "./block/block.ts";
export type { ByteSink, ByteSource } from "./block/byte-source.ts";
export { encodeSparseTarHeader, encodeTarHeader } from "./writing/encode-header.ts";
export { createTarHeader, noXattrs, type SparseRegion, type TarEntryType, type TarHeader } from "./block/header.ts";
export { defaultTarLimits, type TarLimits, type TarReaderOptions } from "./block/limits.ts";
export { createTarReader, type TarReader } from "./reading/tar-reader.ts";
export {
  createTarAssembler,
  type FileGetter,
  type OpenedFile,
  type TarAssembler,
  type TarAssemblerOptions,
} from "./tar-split/assembler.ts";
export type { TarSplitEntry, TarSplitFile, TarSplitSegment } from "./tar-split/entry.ts";
export { createGzipSink, type GzipSink } from "./tar-split/gzip-sink.ts";
export { createTarSplitPacker, type TarSplitPacker } from "./tar-split/packer.ts";
export { createSplittingTarReader, type SplittingOptions } from "./tar-split/splitting-reader.ts";
