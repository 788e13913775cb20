import type { FileStatus } from "../../syscall/index.ts";
import { createTarHeader, noXattrs, type TarEntryType, type TarHeader } from "../../tar/index.ts";
import type { IdMaps } from "../entry/id-map.ts";
import { opaqueMarker, whiteoutPrefix } from "../entry/whiteout.ts";
import type { UserNames } from "./user-names.ts";

export interface ArchiveHeaderOptions {
  readonly ids: IdMaps;
  readonly names: UserNames;
  /** Whether mode fields have the bits of the file's type, too. */
  readonly typeBits: boolean;
  /** Keeps the root id of a file's capabilities, as containerd does and Docker does not; default false. */
  readonly capabilityRootIds?: boolean;
  /** Later times of files are written as this one; default none is. */
  readonly latestSeconds?: number;
}

/** What a file has beside its status. */
export interface FileFacts {
  /** The value of `capabilityAttribute`. */
  readonly capability: Buffer | undefined;
  readonly linkName?: Buffer | undefined;
}

export const capabilityAttribute = "security.capability";

/** The headers of what is in a layer; paths are byte strings. */
export interface ArchiveHeaders {
  /** Of a file that is on disk. */
  ofFile(path: string, type: TarEntryType, status: FileStatus, facts: FileFacts): TarHeader;
  /** Of the file by which an archive says that a folder hides what lies below it. */
  ofOpaqueMarker(folder: string, status: FileStatus): TarHeader;
  /** Of a deletion that overlay keeps as a device; ids as they are. */
  ofOverlayWhiteout(path: string, status: FileStatus, linkName: Buffer | undefined): TarHeader;
  /** Of a deletion that a comparison found. */
  ofWhiteout(path: string, mtimeSeconds: number): TarHeader;
}

const noName = Buffer.alloc(0);

export function createArchiveHeaders(options: ArchiveHeaderOptions): ArchiveHeaders {
  const { ids, names, typeBits, capabilityRootIds = false, latestSeconds = Number.POSITIVE_INFINITY } = options;
  const keptOf = (capability: Buffer): Buffer => (capabilityRootIds ? capability : withoutRootId(capability));
  return {
    // In one piece, because there is one for each file.
    ofFile: (path, type, status, { capability, linkName = noName }) => ({
      name: toBytes(path),
      type,
      linkName,
      mode: typeBits ? status.mode : status.mode & 0o7777,
      uid: ids.uids.toContainer(status.uid),
      gid: ids.gids.toContainer(status.gid),
      sizeBytes: type === "file" ? status.sizeBytes : 0,
      mtimeSeconds: Math.min(status.mtimeSeconds, latestSeconds),
      mtimeNanoseconds: 0,
      userName: names.user(status.uid),
      groupName: names.group(status.gid),
      deviceMajor: status.deviceMajor,
      deviceMinor: status.deviceMinor,
      xattrs: capability === undefined ? noXattrs : new Map([[capabilityAttribute, keptOf(capability)]]),
      sparse: undefined,
    }),
    ofOpaqueMarker: (folder, { uid, gid, mode }) =>
      createTarHeader({
        name: toBytes(`${folder}/${opaqueMarker}`),
        mode: mode & 0o777,
        uid: ids.uids.toContainer(uid),
        gid: ids.gids.toContainer(gid),
        userName: names.user(uid),
        groupName: names.group(gid),
      }),
    // The kernel links whiteouts to one another to save inodes, and Docker's archiver leaves the link's name in the
    // field.
    ofOverlayWhiteout: (path, { uid, gid, mtimeSeconds }, linkName) =>
      createTarHeader({
        name: whiteoutOf(path),
        type: "file",
        mode: whiteoutMode,
        uid,
        gid,
        mtimeSeconds,
        userName: names.user(uid),
        groupName: names.group(gid),
        ...(linkName && { linkName }),
      }),
    ofWhiteout: (path, mtimeSeconds) => createTarHeader({ name: whiteoutOf(path), type: "file", mtimeSeconds }),
  };
}

const whiteoutMode = 0o600;

function whiteoutOf(path: string): Buffer {
  const at = path.lastIndexOf("/") + 1;
  return toBytes(`${path.slice(0, at)}${whiteoutPrefix}${path.slice(at)}`);
}

function toBytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** Source: `linux/capability.h` v6.1: revision 2 is 20 bytes, revision 3 has the user namespace's root appended. */
const capabilityBytes = 20;

/** A file's capabilities without the root id of revision 3, which means nothing outside its user namespace. */
function withoutRootId(capability: Buffer): Buffer {
  if (capability[3] !== 3) return capability;
  capability[3] = 2;
  return capability.subarray(0, capabilityBytes);
}
