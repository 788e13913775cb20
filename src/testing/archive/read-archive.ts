import { createHash } from "node:crypto";
import { createTarReader, type TarHeader } from "../../tar/index.ts";

export interface ReadEntry {
  readonly header: TarHeader;
  /** SHA-256 of the content, in hexadecimal. */
  readonly contentHash: string;
}

/** All entries of an archive, strictly read. */
export function readArchive(archive: Uint8Array): ReadEntry[] {
  let source: Uint8Array | undefined = archive;
  const reader = createTarReader({
    read() {
      const bytes = source;
      source = undefined;
      return bytes;
    },
  });
  const entries: ReadEntry[] = [];
  for (let header = reader.next(); header !== undefined; header = reader.next()) {
    const hash = createHash("sha256");
    for (let bytes = reader.read(); bytes !== undefined; bytes = reader.read()) hash.update(bytes);
    entries.push({ header, contentHash: hash.digest("hex") });
  }
  return entries;
}
