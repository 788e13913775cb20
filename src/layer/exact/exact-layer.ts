/** Layers whose archive can be had again byte for byte, from their tree and the archive's tar-split data. */
import { readSync, writeSync } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CleatError } from "../../errors/index.ts";
import {
  type ByteSink,
  type ByteSource,
  createGzipSink,
  createSplittingTarReader,
  createTarAssembler,
  createTarSplitPacker,
  type TarHeader,
} from "../../tar/index.ts";
import { applyEntries, type ApplyOptions } from "../apply/apply.ts";
import { parseEntryName } from "../entry/entry-name.ts";
import { createLayerFiles } from "../tree/layer-files.ts";
import { classifyEntry, reservedFolderOf } from "../entry/whiteout.ts";

export interface ExactLayer {
  /** As `applyLayer` returns it. */
  readonly sizeBytes: number;
  /** What `assembleLayer` gives back. */
  readonly archiveBytes: number;
}

/**
 * As `applyLayer`, and writes the archive's compressed tar-split data to the empty file open as `data` (for reading
 * too). Where an entry took the place of another, the archive is put together once for a test, which costs reading all
 * files.
 * @throws INVALID_ARGUMENT also when the archive could not be had again: it names a file twice, or one of its entries
 * took away another's content.
 */
export async function applyLayerExactly(
  source: ByteSource,
  root: number,
  data: number,
  options: ApplyOptions,
): Promise<ExactLayer> {
  const counted = countBytes(source);
  const gzip = createGzipSink({ write: (bytes) => writeAll(data, bytes) });
  const reader = createSplittingTarReader(counted, createTarSplitPacker(gzip), {
    keepsContent,
    ...(options.limits && { limits: options.limits }),
  });
  const { sizeBytes, mayHaveLost } = applyEntries(reader, root, options);
  gzip.finish();
  const archiveBytes = counted.bytes();
  if (mayHaveLost) await testAssembly(root, data, archiveBytes);
  return { sizeBytes, archiveBytes };
}

/**
 * Writes a layer's archive to `sink`, from its tree open as `root` and the data that `applyLayerExactly`, Docker or
 * anybody else wrote to the file open as `data`. Reads at most some megabytes ahead.
 * @throws DATA_LOSS when the data are damaged, a file is gone or changed, or the archive does not come to
 * `archiveBytes`. What was written until then must be thrown away.
 */
export async function assembleLayer(root: number, data: number, sink: ByteSink, archiveBytes?: number): Promise<void> {
  const assembler = createTarAssembler(createLayerFiles(root), sink);
  for await (const bytes of decompress(data)) assembler.write(bytes);
  assembler.finish();
  if (archiveBytes !== undefined && assembler.archiveBytes !== archiveBytes) {
    const written = `${assembler.archiveBytes} of the archive's ${archiveBytes} bytes`;
    throw new CleatError("DATA_LOSS", `tar-split data are not whole: they make ${written}`);
  }
}

/** On an event loop, as Node decompresses streams in no other way; each piece is waited for. */
async function* decompress(data: number): AsyncGenerator<Uint8Array> {
  const compressed = Readable.from(readPieces(data));
  const lines = createGunzip();
  compressed.on("error", (error) => lines.destroy(error));
  compressed.pipe(lines);
  try {
    yield* lines;
  } catch (error) {
    throw isZlibError(error) ? damagedData(error) : error;
  } finally {
    compressed.destroy();
    lines.destroy();
  }
}

const pieceBytes = 64 * 1024;

function* readPieces(descriptor: number): Generator<Buffer> {
  for (let at = 0; ;) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const count = readSync(descriptor, piece, 0, pieceBytes, at);
    if (count === 0) return;
    yield piece.subarray(0, count);
    at += count;
  }
}

async function testAssembly(root: number, data: number, archiveBytes: number): Promise<void> {
  try {
    await assembleLayer(root, data, { write() {} }, archiveBytes);
  } catch (error) {
    if (!(error instanceof CleatError) || error.code !== "DATA_LOSS") throw error;
    const message = `archive could not be given back: one entry takes away another's content: ${error.message}`;
    throw new CleatError("INVALID_ARGUMENT", message, { cause: error });
  }
}

/** Whether the content becomes a file of the tree; that of a whiteout does not, nor what aufs kept for itself. */
function keepsContent({ name: given }: TarHeader): boolean {
  const name = parseEntryName(given);
  return name !== undefined && reservedFolderOf(name.folder) === undefined && classifyEntry(name.base).role === "file";
}

function countBytes(source: ByteSource): ByteSource & { bytes(): number } {
  let total = 0;
  return {
    read() {
      const bytes = source.read();
      total += bytes?.length ?? 0;
      return bytes;
    },
    bytes: () => total,
  };
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at, bytes.length - at);
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}

function damagedData(error: Error): CleatError {
  return new CleatError("DATA_LOSS", `tar-split data are damaged: ${error.message}`, { cause: error });
}
