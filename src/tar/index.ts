export { blockBytes, tarEndBlocks, tarPaddingBytes } from "./block.ts";
export type { ByteSink, ByteSource } from "./byte-source.ts";
export { encodeTarHeader } from "./encode-header.ts";
export { createTarHeader, noXattrs, type SparseRegion, type TarEntryType, type TarHeader } from "./header.ts";
export { defaultTarLimits, type TarLimits } from "./limits.ts";
export { createTarReader, type TarReader } from "./tar-reader.ts";
