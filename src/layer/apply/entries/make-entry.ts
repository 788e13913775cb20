import { CleatError } from "../../../errors/index.ts";
import {
  close,
  fsync,
  isDirectory,
  linkat,
  mknodat,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  statIfThere,
  symlinkat,
} from "../../../syscall/index.ts";
import type { TarHeader, TarReader } from "../../../tar/index.ts";
import { type EntryName, parseEntryName, showBytes } from "../../entry/entry-name.ts";
import { isOverlayWhiteout } from "../../entry/entry-type.ts";
import type { IdMaps } from "../../entry/id-map.ts";
import { reservedFolderOf } from "../../entry/whiteout.ts";
import { openRegular } from "../../tree/open-regular.ts";
import {
  type AttributeRules,
  type Attributes,
  attributesOf,
  changeAttributesByName,
  setAttributesByName,
} from "../folders/attributes.ts";
import { type DirectoryMakerOptions, makeDirectory } from "./make-directory.ts";
import { makeFile } from "./make-file.ts";
import { createNameReplacer } from "./replace-name.ts";

export interface EntryMaker {
  /**
   * Makes what the entry describes, in place of whatever has its name; only a folder on a folder is kept and changed.
   */
  make(name: EntryName, header: TarHeader, reader: TarReader): void;
  /** Bytes of content made so far. */
  sizeBytes(): number;
  /** Whether anything that was there, perhaps made by this archive, had to give way. */
  replacedAny(): boolean;
}

export interface EntryMakerOptions extends DirectoryMakerOptions {
  readonly ids: IdMaps;
  readonly syncFiles: boolean;
  readonly rules: AttributeRules;
  /** What overlay takes for the deletion of a file, a device 0/0, is a file like any other. */
  readonly isWhole: boolean;
}

export function createEntryMaker(options: EntryMakerOptions): EntryMaker {
  const { folders, directories, whiteouts, ids, rules, isWhole, syncFiles } = options;
  const names = createNameReplacer(folders, directories);
  let sizeBytes = 0;

  /** A sparse file of terabytes costs an archive a few bytes; thousands of them make a sum that no engine can read. */
  function addSize(header: TarHeader, bytes: number): void {
    sizeBytes += bytes;
    if (!Number.isSafeInteger(sizeBytes)) throw toInvalidError(header, "brings the layer's size over 2^53 bytes");
  }

  /**
   * In a layer the link's entry says anew what owner, mode, attributes and time the file has, as it does to Docker and
   * containerd; to GNU tar and libarchive it is a name and no more. Aufs' own names of a file are links without a say.
   * Source: moby v20.10.24 `pkg/archive/archive.go` `createTarFile`; containerd v1.6.20 `archive/tar.go`.
   */
  function makeHardLink(name: EntryName, header: TarHeader): void {
    const target = parseEntryName(header.linkName);
    if (target === undefined) throw toInvalidError(header, "is a hard link to the layer's root");
    const saysAnew = !isWhole && reservedFolderOf(target.folder) === undefined;
    const wanted = saysAnew ? attributesOf(header, ids) : undefined;
    names.replace(name, (folder) => {
      const from = folders.get(target.folder, folder).descriptor;
      const status = statIfThere(from, target.base);
      if (status === undefined) throw toDanglingError(header);
      if (isDirectory(status)) throw toInvalidError(header, "is a hard link to a folder");
      if (!isWhole && isOverlayWhiteout(status)) throw toInvalidError(header, "is a hard link to a deleted file");
      linkat(from, target.base, folder.descriptor, name.base);
      if (wanted === undefined) return;
      changeAttributesByName(folder.descriptor, name.base, header, wanted, status, rules);
      if (syncFiles) syncRegular(folder.descriptor, name.base);
    });
  }

  function makeNode(name: EntryName, header: TarHeader, type: number): void {
    const { uid, gid, mode } = attributesOf(header, ids);
    const { deviceMajor: major, deviceMinor: minor } = header;
    const isDevice = type !== S_IFIFO;
    if (isDevice && !isDeviceNumber(major, minor)) {
      throw toInvalidError(header, `has device number ${major}, ${minor}, beyond the kernel's 12 and 20 bits`);
    }
    names.replace(name, (folder) => {
      mknodat(folder.descriptor, name.base, type | mode, isDevice ? major : 0, isDevice ? minor : 0);
      setAttributesByName(folder, name.base, header, { uid, gid, mode }, rules);
    });
  }

  function makeSymlink(name: EntryName, header: TarHeader, wanted: Attributes): void {
    names.replace(name, (folder) => {
      symlinkat(header.linkName, folder.descriptor, name.base);
      setAttributesByName(folder, name.base, header, wanted, rules);
    });
    addSize(header, header.linkName.length);
  }

  function make(name: EntryName, header: TarHeader, reader: TarReader): void {
    switch (header.type) {
      case "file": {
        const wanted = attributesOf(header, ids);
        addSize(header, header.sizeBytes);
        names.replace(name, (folder) => makeFile(folder, name.base, header, wanted, reader, options));
        break;
      }
      case "directory":
        makeDirectory(name, header, attributesOf(header, ids), options, names);
        break;
      case "symlink":
        makeSymlink(name, header, attributesOf(header, ids));
        break;
      case "hardlink":
        makeHardLink(name, header);
        break;
      case "fifo":
        makeNode(name, header, S_IFIFO);
        break;
      case "block-device":
        makeNode(name, header, S_IFBLK);
        break;
      case "character-device":
        // The kernel's overlay would take 0/0 for a whiteout, so in every driver it is one.
        if (!isWhole && header.deviceMajor === 0 && header.deviceMinor === 0) {
          return whiteouts.hide(name.folder, name.base);
        }
        makeNode(name, header, S_IFCHR);
        break;
    }
    whiteouts.made(name.folder, name.base, header.type === "directory");
  }

  return { make, sizeBytes: () => sizeBytes, replacedAny: names.replacedAny };
}

function syncRegular(folder: number, base: Buffer): void {
  const descriptor = openRegular(folder, base);
  if (descriptor === undefined) return;
  try {
    fsync(descriptor);
  } finally {
    close(descriptor);
  }
}

function isDeviceNumber(major: number, minor: number): boolean {
  return major >= 0 && major < 2 ** 12 && minor >= 0 && minor < 2 ** 20;
}

/** As with Docker and containerd, also where a layer below an overlay has the file, which would have to be copied. */
function toDanglingError({ name, linkName }: TarHeader): CleatError {
  const [link, target] = [name, linkName].map((bytes) => showBytes(bytes.toString("latin1")));
  return new CleatError("NOT_FOUND", `entry ${link} is a hard link to ${target}, which is not in the layer`);
}

function toInvalidError(header: TarHeader, what: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `entry ${showBytes(header.name.toString("latin1"))} ${what}`);
}
