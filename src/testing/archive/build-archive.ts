import { encodeTarHeader, tarEndBlocks, tarPaddingBytes } from "../../tar/index.ts";
import type { ArchiveEntry } from "./entry.ts";

/** A whole archive, end blocks included. */
export function buildArchive(entries: readonly ArchiveEntry[]): Buffer {
  return joinArchive(entries.map(encodeEntry));
}

/** Parts that were encoded one by one, or by hand, as an archive with its end blocks. */
export function joinArchive(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, tarEndBlocks]);
}

export function encodeEntry({ header, content }: ArchiveEntry): Buffer {
  return Buffer.concat([encodeTarHeader(header), content, Buffer.alloc(tarPaddingBytes(content.length))]);
}
