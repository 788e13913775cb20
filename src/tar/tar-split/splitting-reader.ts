import { createArchiveInput } from "../block/archive-input.ts";
import type { ByteSource } from "../block/byte-source.ts";
import type { TarHeader } from "../block/header.ts";
import type { TarLimits } from "../block/limits.ts";
import { createReaderOf, type TarReader } from "../reading/tar-reader.ts";
import type { TarSplitPacker } from "./packer.ts";
import { createTarSplitRecorder } from "./recorder.ts";
import { createRecordingInput } from "./recording-input.ts";

export interface SplittingOptions {
  readonly limits?: Partial<TarLimits>;
  /**
   * Whether a file's content can be had again by its name. Where not, it goes into the data as it stands in the
   * archive, as that of sparse files always does. Default: always.
   */
  keepsContent?(header: TarHeader): boolean;
}

/**
 * A reader as `createTarReader` makes it, that takes the archive apart while it reads: what went by is told to
 * `packer`, which is finished when `next` answers `undefined`. Until then, and after an error, the data are part of an
 * archive's.
 *
 * Global PAX headers and volume labels, which make no entry, are raw bytes; Go writes entries without content for them.
 * @throws INVALID_ARGUMENT from `next` and `read` also when the archive names a file twice.
 */
export function createSplittingTarReader(
  source: ByteSource,
  packer: TarSplitPacker,
  { limits = {}, keepsContent = () => true }: SplittingOptions = {},
): TarReader {
  const recorder = createTarSplitRecorder(packer, keepsContent);
  const input = createRecordingInput(createArchiveInput(source), recorder.consumed);
  return createReaderOf(input, limits, recorder);
}
