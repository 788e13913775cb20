/** Archives taken apart and put together in memory. Not published. */
import { gunzipSync } from "node:zlib";

import { CleatError } from "../../errors/index.ts";
import { readSource, sourceOf } from "../reading/crafted.test.support.ts";
import { createTarAssembler, type FileGetter, type TarAssemblerOptions } from "./assembler.ts";
import { createGzipSink } from "./gzip-sink.ts";
import { createTarSplitPacker } from "./packer.ts";
import { createSplittingTarReader, type SplittingOptions } from "./splitting-reader.ts";

export type Contents = Map<string, Buffer>;

export interface TakenApart {
  /** Compressed. */
  readonly data: Buffer;
  /** What the reader gave, by name as latin1; of a name that comes twice the last. */
  readonly contents: Contents;
}

export function collectingSink() {
  const parts: Buffer[] = [];
  return {
    write: (bytes: Uint8Array): void => void parts.push(Buffer.from(bytes)),
    bytes: (): Buffer => Buffer.concat(parts),
  };
}

export function takeApart(archive: Uint8Array, chunkBytes = 65_536, options: SplittingOptions = {}): TakenApart {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < archive.length; at += chunkBytes) chunks.push(archive.subarray(at, at + chunkBytes));
  const sink = collectingSink();
  const gzip = createGzipSink(sink);
  const reader = createSplittingTarReader(sourceOf(...chunks), createTarSplitPacker(gzip), options);
  const contents: Contents = new Map();
  for (let header = reader.next(); header !== undefined; header = reader.next()) {
    const content = Buffer.alloc(header.sizeBytes);
    for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) content.set(chunk, reader.chunkOffset);
    contents.set(header.name.toString("latin1"), content);
  }
  gzip.finish();
  return { data: sink.bytes(), contents };
}

export function getterOf(contents: Contents, pieceBytes = 1000): FileGetter {
  return {
    open(name) {
      const content = contents.get(name.toString("latin1"));
      if (content === undefined) throw new CleatError("NOT_FOUND", `no file "${name.toString()}"`);
      let at = 0;
      return {
        read: () => (at < content.length ? content.subarray(at, (at += pieceBytes)) : undefined),
        close() {},
      };
    },
  };
}

/** `lines` are the data, not compressed, handed over in pieces. */
export function putTogether(
  lines: Uint8Array,
  contents: Contents,
  pieceBytes = 10_000,
  options: TarAssemblerOptions = {},
): Buffer {
  const sink = collectingSink();
  const assembler = createTarAssembler(getterOf(contents), sink, options);
  for (let at = 0; at < lines.length; at += pieceBytes) assembler.write(lines.subarray(at, at + pieceBytes));
  assembler.finish();
  return sink.bytes();
}

/** What comes back when an archive is taken apart and put together again. */
export function comeBack(archive: Uint8Array, chunkBytes?: number): Buffer {
  const { data, contents } = takeApart(archive, chunkBytes);
  return putTogether(gunzipSync(data), contents);
}

export function linesOf(data: Uint8Array): Record<string, unknown>[] {
  return gunzipSync(data)
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Reads as a plain reader does, for a comparison of what both refuse. */
export function readPlainly(archive: Uint8Array): unknown {
  return readSource(sourceOf(archive));
}
