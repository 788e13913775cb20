/** Archives built by hand for tests, honest or not; nothing here goes through the encoder. Not published. */
import type { ByteSource } from "../block/byte-source.ts";
import { blockBytes, fields, tarEndBlocks, tarPaddingBytes } from "../block/block.ts";
import type { TarHeader } from "../block/header.ts";
import type { TarReaderOptions } from "../block/limits.ts";
import { createTarReader } from "./tar-reader.ts";

export type RawFields = Partial<Record<keyof typeof fields, string | Uint8Array>>;

export const ustarMagic = "ustar\x0000";
export const gnuMagic = "ustar  \0";

/** A header block with the given raw fields and the right checksum, unless that is given too. */
export function craftBlock(raw: RawFields): Buffer {
  const block = Buffer.alloc(blockBytes);
  const all: RawFields = { mode: octal(0o644, 8), uid: octal(0, 8), gid: octal(0, 8), typeFlag: "0", ...raw };
  all.size ??= octal(0, 12);
  all.mtime ??= octal(0, 12);
  for (const [key, value] of Object.entries(all)) {
    const field = fields[key as keyof typeof fields];
    block.set(Buffer.from(value as string, "latin1").subarray(0, field.bytes), field.start);
  }
  if (raw.checksum === undefined) {
    block.fill(" ", fields.checksum.start, fields.checksum.start + fields.checksum.bytes);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, fields.checksum.start, "latin1");
  }
  return block;
}

export function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, "0")}\0`;
}

export function padToBlock(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string, "latin1");
  return Buffer.concat([bytes, Buffer.alloc(tarPaddingBytes(bytes.length))]);
}

/** A header block and its content, whose size is filled in. */
export function craftEntry(raw: RawFields, content: string | Uint8Array = ""): Buffer {
  return Buffer.concat([craftBlock({ size: octal(content.length, 12), ...raw }), padToBlock(content)]);
}

export function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  let length = body.length + 1;
  while (`${length}${body}`.length !== length) length++;
  return `${length}${body}`;
}

export function craftPax(records: readonly (readonly [string, string])[], raw: RawFields = {}): Buffer {
  const content = records.map(([key, value]) => paxRecord(key, value)).join("");
  return craftEntry({ name: "PaxHeaders.0/x", typeFlag: "x", magic: ustarMagic, ...raw }, content);
}

export function craftArchive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, tarEndBlocks]);
}

export function sourceOf(...chunks: readonly Uint8Array[]): ByteSource {
  const left = [...chunks];
  return { read: () => left.shift() };
}

export interface ReadEntry {
  readonly header: TarHeader;
  /** As it would be on disk, holes filled. */
  readonly content: Buffer;
}

/** All entries of an archive that comes in chunks of `chunkBytes`, read as the docstring of `TarReader` says. */
export function readArchive(
  archive: Uint8Array,
  options: { readonly chunkBytes?: number; readonly limits?: Partial<TarReaderOptions> } = {},
): ReadEntry[] {
  const { chunkBytes = 65_536, limits } = options;
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < archive.length; at += chunkBytes) chunks.push(archive.subarray(at, at + chunkBytes));
  return readSource(sourceOf(...chunks), limits);
}

export function readSource(source: ByteSource, limits?: Partial<TarReaderOptions>): ReadEntry[] {
  const reader = createTarReader(source, limits);
  const entries: ReadEntry[] = [];
  for (let header = reader.next(); header !== undefined; header = reader.next()) {
    const content = Buffer.alloc(header.sizeBytes);
    for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) content.set(chunk, reader.chunkOffset);
    entries.push({ header, content });
  }
  return entries;
}

/** The code and the message of what `act` throws, for one comparison. */
export function failureOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  return "no failure";
}
