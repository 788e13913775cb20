import type { TarEntryType } from "./header.ts";

/** The type flags this codec knows, by the byte that stands for them. */
export const typeFlag = {
  oldFile: 0x00,
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  characterDevice: 0x33,
  blockDevice: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguousFile: 0x37,
  gnuLongLinkName: 0x4b,
  gnuLongName: 0x4c,
  gnuSparseFile: 0x53,
  gnuVolumeLabel: 0x56,
  paxGlobal: 0x67,
  paxLocal: 0x78,
} as const;

/** The flag that is written for a type. */
export const flagOfEntryType: Readonly<Record<TarEntryType, number>> = {
  file: typeFlag.file,
  hardlink: typeFlag.hardlink,
  symlink: typeFlag.symlink,
  "character-device": typeFlag.characterDevice,
  "block-device": typeFlag.blockDevice,
  directory: typeFlag.directory,
  fifo: typeFlag.fifo,
};

const slash = 0x2f;

/**
 * The type that a flag stands for, `undefined` for a flag that makes no entry. A file of flag `\0` whose name ends in a
 * slash is a directory, which is how v7 archives say it.
 */
export function entryTypeOfFlag(flag: number, name: Uint8Array): TarEntryType | undefined {
  switch (flag) {
    case typeFlag.file:
    case typeFlag.contiguousFile:
    case typeFlag.gnuSparseFile:
      return "file";
    case typeFlag.oldFile:
      return name[name.length - 1] === slash ? "directory" : "file";
    case typeFlag.hardlink:
      return "hardlink";
    case typeFlag.symlink:
      return "symlink";
    case typeFlag.characterDevice:
      return "character-device";
    case typeFlag.blockDevice:
      return "block-device";
    case typeFlag.directory:
      return "directory";
    case typeFlag.fifo:
      return "fifo";
    default:
      return undefined;
  }
}
