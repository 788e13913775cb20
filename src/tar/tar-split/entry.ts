/**
 * The format of vbatts/tar-split, which Docker keeps as `tar-split.json.gz` (up to 1.9 `tar-data.json.gz`) and
 * containers/storage as `<id>.tar-split.gz`: an archive without the contents of its files, one JSON object a line, in
 * the archive's order.
 *
 *     {"type":2,"payload":"…base64…","position":0}                              bytes of the archive as they stand
 *     {"type":1,"name":"bin/sh","size":5,"payload":"…base64…","position":1}     the content of a file, by name
 *     {"type":1,"name_raw":"…base64…","payload":null,"position":2}              an entry without content
 *
 * Source: vbatts/tar-split v0.11.2 `tar/storage/entry.go`, `packer.go`.
 */
export type TarSplitEntry = TarSplitSegment | TarSplitFile;

/** Headers, padding, end blocks and whatever else is not the content of a file. */
export interface TarSplitSegment {
  readonly kind: "segment";
  readonly bytes: Uint8Array;
}

/** Where a file's content stood. Names are as in the archive: not cleaned, with a slash behind a directory's. */
export interface TarSplitFile {
  readonly kind: "file";
  readonly name: Buffer;
  /** 0 where the archive stores no content, or stores it in a segment. */
  readonly sizeBytes: number;
  /** Of the content, 8 bytes; `undefined` where there is none. */
  readonly crc: Buffer | undefined;
}

/** The values of `type`. */
export const entryType = { file: 1, segment: 2 } as const;
