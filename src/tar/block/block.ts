/** Headers and contents take whole blocks. Source: POSIX.1-2017, pax, "ustar Interchange Format". */
export const blockBytes = 512;

/** How many zeros follow a content of `sizeBytes` so that the next header starts on a block. */
export function tarPaddingBytes(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}

/** What ends an archive: two blocks of zeros. Its front also serves as padding. Shared, so never to be written to. */
export const tarEndBlocks: Uint8Array = new Uint8Array(2 * blockBytes);

/** Where a field of a header block lies. */
export interface Field {
  readonly label: string;
  readonly start: number;
  readonly bytes: number;
}

/**
 * The fields of a header block in all dialects; those from `magic` on overlap where dialects differ. Source:
 * POSIX.1-2017 pax; GNU tar 1.34 `src/tar.h`; star 1.6 `star/star.h`.
 */
export const fields = {
  name: { label: "name", start: 0, bytes: 100 },
  mode: { label: "mode", start: 100, bytes: 8 },
  uid: { label: "uid", start: 108, bytes: 8 },
  gid: { label: "gid", start: 116, bytes: 8 },
  size: { label: "size", start: 124, bytes: 12 },
  mtime: { label: "mtime", start: 136, bytes: 12 },
  checksum: { label: "checksum", start: 148, bytes: 8 },
  typeFlag: { label: "type flag", start: 156, bytes: 1 },
  linkName: { label: "link name", start: 157, bytes: 100 },
  magic: { label: "magic", start: 257, bytes: 8 },
  userName: { label: "user name", start: 265, bytes: 32 },
  groupName: { label: "group name", start: 297, bytes: 32 },
  deviceMajor: { label: "device major", start: 329, bytes: 8 },
  deviceMinor: { label: "device minor", start: 337, bytes: 8 },
  ustarPrefix: { label: "prefix", start: 345, bytes: 155 },
  starPrefix: { label: "prefix", start: 345, bytes: 131 },
  starTrailer: { label: "trailer", start: 508, bytes: 4 },
  gnuAtime: { label: "atime", start: 345, bytes: 12 },
  gnuCtime: { label: "ctime", start: 357, bytes: 12 },
  gnuSparse: { label: "sparse map", start: 386, bytes: 97 },
  gnuRealSize: { label: "real size", start: 483, bytes: 12 },
} as const satisfies Record<string, Field>;

/** Shared by all that has no bytes; nothing can be written to it. */
export const noBytes: Buffer = Buffer.alloc(0);
