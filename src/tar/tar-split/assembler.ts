import { CleatError, quoteBytes } from "../../errors/index.ts";
import type { ByteSink, ByteSource } from "../block/byte-source.ts";
import { createCrc64 } from "./crc64.ts";
import type { TarSplitFile } from "./entry.ts";
import { createLineSplitter } from "./line-splitter.ts";
import { parseTarSplitEntry, toDamagedError } from "./parse-entry.ts";

/** Hands out the contents of an archive's files. */
export interface FileGetter {
  /** Opens the file that an archive names so; whoever implements this decides what a name may reach. */
  open(name: Buffer): OpenedFile;
}

export interface OpenedFile extends ByteSource {
  close(): void;
}

export interface TarAssemblerOptions {
  /**
   * Bytes of one line. Default 64 MiB: four thirds of what Docker's packer puts into one segment, which up to
   * vbatts/tar-split v0.11.1 was all that stands behind the end blocks.
   */
  readonly maxLineBytes?: number;
}

/** Puts an archive together again. */
export interface TarAssembler {
  /** How many bytes of the archive were written. */
  readonly archiveBytes: number;
  /**
   * Takes the next bytes of the data (JSON lines, not compressed), cut anywhere.
   * @throws DATA_LOSS when the data are damaged, or a file is gone or no longer what it was: its size or its checksum
   * is another. Bytes of it have been written then, so the archive must be thrown away.
   */
  write(data: Uint8Array): void;
  /** @throws DATA_LOSS when the data stop within a line. */
  finish(): void;
}

/**
 * Writes the archive to `sink`, byte for byte as it was taken apart, with the contents from `files`. Data from Go's
 * tar-split are read as Go reads them: of a sparse file Go has recorded what it reads, not what the archive stored, and
 * of an archive that ends early the data do too, so that the archive's own digest has the last word.
 */
export function createTarAssembler(
  files: FileGetter,
  sink: ByteSink,
  { maxLineBytes = 64 << 20 }: TarAssemblerOptions = {},
): TarAssembler {
  const crc = createCrc64();
  let position = 0;
  let archiveBytes = 0;

  function writeOut(bytes: Uint8Array): void {
    archiveBytes += bytes.length;
    sink.write(bytes);
  }

  function copyContent({ name, sizeBytes, crc: expected }: TarSplitFile): void {
    const file = openFile(files, name);
    let left = sizeBytes;
    crc.reset();
    try {
      for (let bytes = file.read(); bytes !== undefined; bytes = file.read()) {
        left -= bytes.length;
        if (left < 0) throw toChangeError(name, `has more than the ${sizeBytes} bytes that the archive had`);
        crc.update(bytes);
        writeOut(bytes);
      }
    } finally {
      file.close();
    }
    if (left > 0) throw toChangeError(name, `has ${sizeBytes - left} of the ${sizeBytes} bytes that the archive had`);
    const sum = crc.digest();
    if (expected?.equals(sum) !== true) {
      throw toChangeError(
        name,
        `has the CRC-64 ${sum.toString("hex")}, in the archive it was ${expected?.toString("hex")}`,
      );
    }
  }

  const lines = createLineSplitter(
    maxLineBytes,
    (line) => {
      const entry = parseTarSplitEntry(line, position++);
      if (entry.kind === "segment") writeOut(entry.bytes);
      else if (entry.sizeBytes > 0) copyContent(entry);
    },
    () => {
      throw toDamagedError(position, `is longer than ${maxLineBytes} bytes`);
    },
  );

  return {
    get archiveBytes() {
      return archiveBytes;
    },
    write: lines.write,
    finish: lines.finish,
  };
}

function openFile(files: FileGetter, name: Buffer): OpenedFile {
  try {
    return files.open(name);
  } catch (error) {
    if (!(error instanceof CleatError) || !goneCodes.has(error.code)) throw error;
    throw new CleatError("DATA_LOSS", `file ${quoteBytes(name)} cannot be had again: ${error.message}`, {
      cause: error,
    });
  }
}

/** What a name answers that led to a file once: to nothing, to something else, or out of where it may lead. */
const goneCodes: ReadonlySet<string> = new Set(["NOT_FOUND", "FAILED_PRECONDITION", "INVALID_ARGUMENT"]);

function toChangeError(name: Buffer, what: string): CleatError {
  return new CleatError("DATA_LOSS", `file ${quoteBytes(name)} ${what}`);
}
