import { noBytes } from "./block.ts";

/**
 * One entry of a tar archive, whatever dialect it was written in. Names, link names and values are bytes as they stand
 * in the archive; nothing is decoded, cleaned or resolved here.
 */
export interface TarHeader {
  readonly name: Buffer;
  readonly type: TarEntryType;
  /** Target of a `hardlink` or `symlink`, empty otherwise. */
  readonly linkName: Buffer;
  /** The mode field as written: Docker's archives carry the file-type bits (`0o100644`), others do not. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content once unpacked; of a sparse file that is more than the archive holds. 0 where there is no file. */
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  /** 0 to 999,999,999, added to the seconds also when those are negative. */
  readonly mtimeNanoseconds: number;
  readonly userName: Buffer;
  readonly groupName: Buffer;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes (`SCHILY.xattr.*`), keyed by their name's bytes as latin1. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Of a sparse file, where its data lies, in order and none empty; the holes between read as zeros. */
  readonly sparse: readonly SparseRegion[] | undefined;
}

export type TarEntryType = "file" | "hardlink" | "symlink" | "character-device" | "block-device" | "directory" | "fifo";

export interface SparseRegion {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Shared by all entries without extended attributes. */
export const noXattrs: ReadonlyMap<string, Buffer> = new Map();

/** A header with what was left out filled in: an empty file of root's without permissions, from 1970. Cheap. */
export function createTarHeader(given: Partial<TarHeader> & Pick<TarHeader, "name">): TarHeader {
  return {
    name: given.name,
    type: given.type ?? "file",
    linkName: given.linkName ?? noBytes,
    mode: given.mode ?? 0,
    uid: given.uid ?? 0,
    gid: given.gid ?? 0,
    sizeBytes: given.sizeBytes ?? 0,
    mtimeSeconds: given.mtimeSeconds ?? 0,
    mtimeNanoseconds: given.mtimeNanoseconds ?? 0,
    userName: given.userName ?? noBytes,
    groupName: given.groupName ?? noBytes,
    deviceMajor: given.deviceMajor ?? 0,
    deviceMinor: given.deviceMinor ?? 0,
    xattrs: given.xattrs ?? noXattrs,
    sparse: given.sparse,
  };
}
