import { CleatError, isSystemError } from "../../errors/index.ts";
import {
  type FileStatus,
  isDirectory,
  linkat,
  mkdirat,
  mknodat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  statat,
  symlinkat,
} from "../../syscall/index.ts";
import type { TarHeader, TarReader } from "../../tar/index.ts";
import { type Attributes, attributesOf, type LeaveOut, setAttributesByName } from "./attributes.ts";
import { type DirectoryAttributes, workingMode } from "./directory-attributes.ts";
import { type EntryName, joinPath, parseEntryName, showBytes } from "../entry/entry-name.ts";
import { isOverlayWhiteout } from "../entry/entry-type.ts";
import type { IdMaps } from "../entry/id-map.ts";
import { dropInheritedAt } from "../tree/inherited-access.ts";
import { makeFile } from "./make-file.ts";
import type { WhiteoutMaker } from "./whiteout-maker.ts";
import type { OpenFolder, OpenFolders } from "./open-folders.ts";
import { removeTree } from "../tree/remove-tree.ts";

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

export interface EntryMakerOptions {
  readonly folders: OpenFolders;
  readonly directories: DirectoryAttributes;
  readonly whiteouts: WhiteoutMaker;
  readonly ids: IdMaps;
  readonly syncFiles: boolean;
  readonly leaveOut: LeaveOut | undefined;
}

export function createEntryMaker(options: EntryMakerOptions): EntryMaker {
  const { folders, directories, whiteouts, ids, leaveOut } = options;
  let sizeBytes = 0;
  let replaced = false;

  /** Runs `create`; where the name is taken, clears it and runs `create` once more. */
  function replacing(name: EntryName, create: (folder: OpenFolder) => void): void {
    try {
      create(folders.get(name.folder));
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
      const { descriptor, path } = folders.get(name.folder);
      const mayLead = leadsToFolder(statat(descriptor, name.base));
      removeTree(descriptor, name.base);
      replaced = true;
      if (mayLead) {
        directories.drop(joinPath(path(), name.base));
        folders.forget();
      }
      create(folders.get(name.folder));
    }
  }

  /** A sparse file of terabytes costs an archive a few bytes; thousands of them make a sum that no engine can read. */
  function addSize(header: TarHeader, bytes: number): void {
    sizeBytes += bytes;
    if (!Number.isSafeInteger(sizeBytes)) throw invalid(header, "brings the layer's size over 2^53 bytes");
  }

  function makeDirectory(name: EntryName, header: TarHeader): void {
    const folder = folders.get(name.folder);
    const path = joinPath(folder.path(), name.base);
    try {
      makeFolder(folder, name.base);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
      if (!isDirectory(statat(folder.descriptor, name.base))) replaceByDirectory(name, path);
    }
    directories.set(path, header);
  }

  function makeFolder({ descriptor, givesAcl }: OpenFolder, base: Buffer): void {
    mkdirat(descriptor, base, workingMode);
    // Before anything in it gets them, too; the rest is set in the end.
    if (givesAcl) dropInheritedAt(descriptor, base);
  }

  /**
   * What is not a folder, be it a whiteout or a file, hid the folder of that name below; the new one must not uncover
   * it.
   */
  function replaceByDirectory(name: EntryName, path: string): void {
    replacing(name, (folder) => makeFolder(folder, name.base));
    whiteouts.makeOpaque(path);
  }

  function makeHardLink(name: EntryName, header: TarHeader): void {
    const target = parseEntryName(header.linkName);
    if (target === undefined) throw invalid(header, "is a hard link to the layer's root");
    replacing(name, (folder) => {
      const from = folders.get(target.folder, folder).descriptor;
      const status = statat(from, target.base);
      if (isDirectory(status)) throw invalid(header, "is a hard link to a folder");
      if (isOverlayWhiteout(status)) throw invalid(header, "is a hard link to a deleted file");
      linkat(from, target.base, folder.descriptor, name.base);
    });
  }

  function makeNode(name: EntryName, header: TarHeader, type: number): void {
    const { uid, gid, mode } = attributesOf(header, ids);
    const { deviceMajor: major, deviceMinor: minor } = header;
    const isDevice = type !== S_IFIFO;
    if (isDevice && !isDeviceNumber(major, minor)) {
      throw invalid(header, `has device number ${major}, ${minor}, beyond the kernel's 12 and 20 bits`);
    }
    replacing(name, (folder) => {
      mknodat(folder.descriptor, name.base, type | mode, isDevice ? major : 0, isDevice ? minor : 0);
      setAttributesByName(folder, name.base, header, { uid, gid, mode }, leaveOut);
    });
  }

  function makeSymlink(name: EntryName, header: TarHeader, wanted: Attributes): void {
    replacing(name, (folder) => {
      symlinkat(header.linkName, folder.descriptor, name.base);
      setAttributesByName(folder, name.base, header, wanted, leaveOut);
    });
    addSize(header, header.linkName.length);
  }

  function make(name: EntryName, header: TarHeader, reader: TarReader): void {
    switch (header.type) {
      case "file": {
        const wanted = attributesOf(header, ids);
        addSize(header, header.sizeBytes);
        replacing(name, (folder) => makeFile(folder, name.base, header, wanted, reader, options));
        break;
      }
      case "directory":
        makeDirectory(name, header);
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
        if (header.deviceMajor === 0 && header.deviceMinor === 0) return whiteouts.hide(name.folder, name.base);
        makeNode(name, header, S_IFCHR);
        break;
    }
    whiteouts.made(name.folder, name.base, header.type === "directory");
  }

  return { make, sizeBytes: () => sizeBytes, replacedAny: () => replaced };
}

/** Whether a name may stand within the paths of folders: it is one, or a symlink that could lead to one. */
function leadsToFolder({ mode }: FileStatus): boolean {
  return (mode & S_IFMT) === S_IFDIR || (mode & S_IFMT) === S_IFLNK;
}

function isDeviceNumber(major: number, minor: number): boolean {
  return major >= 0 && major < 2 ** 12 && minor >= 0 && minor < 2 ** 20;
}

function invalid(header: TarHeader, what: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `entry ${showBytes(header.name.toString("latin1"))} ${what}`);
}
