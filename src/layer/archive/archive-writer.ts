/**
 * Writes files into a layer archive exactly as Docker's archiver does, so that a layer gets the same digest from either:
 * whole seconds, of all attributes only `security.capability`; up to v20.10 mode fields with the file type's bits.
 *
 * Source: moby v20.10.24 `pkg/archive/archive.go` (`FileInfoHeader`, `addTarFile`), `archive_linux.go`.
 */
import { readSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import { close, fgetxattr, type FileStatus, lgetxattr, procPath, readlinkat } from "../../syscall/index.ts";
import {
  type ByteSink,
  createTarHeader,
  encodeTarHeader,
  noXattrs,
  tarEndBlocks,
  type TarEntryType,
  tarPaddingBytes,
} from "../../tar/index.ts";
import { showBytes } from "../entry/entry-name.ts";
import { entryTypeOf, isOverlayWhiteout } from "../entry/entry-type.ts";
import { fileKey } from "../entry/file-key.ts";
import { openRegular } from "../tree/open-regular.ts";
import type { IdMaps } from "../entry/id-map.ts";
import type { UserNames } from "./user-names.ts";
import { opaqueMarker, whiteoutPrefix } from "../entry/whiteout.ts";

export interface ArchiveWriter {
  /** Adds the file called `base` in an open folder under the byte string `path`; a socket is passed over. */
  addFile(folder: number, base: Buffer, path: string, status: FileStatus): void;
  /** Adds a folder that is open as `descriptor`, without what lies in it. */
  addDirectory(descriptor: number, path: string, status: FileStatus): void;
  /** Adds the file by which an archive says that a folder hides what lies below it. */
  addOpaqueMarker(path: string, status: FileStatus): void;
  /** Adds a deletion of `path` at a time. */
  addWhiteout(path: string, mtimeSeconds: number): void;
  /** Ends the archive. */
  finish(): void;
}

export interface ArchiveWriterOptions {
  readonly ids: IdMaps;
  readonly names: UserNames;
  /** Whether mode fields have the bits of the file's type, too. */
  readonly typeBits: boolean;
  /** Whether character devices 0/0 are deletions. */
  readonly overlayWhiteouts: boolean;
  /** Keeps the root id of a file's capabilities, as containerd does and Docker does not; default false. */
  readonly capabilityRootIds?: boolean;
}

/** Headers and content are gathered to this much before they go on, so that a small file costs no hand-over of its own. */
const bufferBytes = 256 * 1024;

export function createArchiveWriter(sink: ByteSink, options: ArchiveWriterOptions): ArchiveWriter {
  const { ids, names, typeBits, overlayWhiteouts, capabilityRootIds = false } = options;
  const buffer = Buffer.allocUnsafe(bufferBytes);
  /** Files with several names: the first name that the archive has for them. */
  const linked = new Map<string, Buffer>();
  let filled = 0;

  function flush(): void {
    if (filled > 0) sink.write(buffer.subarray(0, filled));
    filled = 0;
  }

  function write(bytes: Uint8Array): void {
    if (bytes.length > buffer.length - filled) flush();
    if (bytes.length > buffer.length) sink.write(bytes);
    else {
      buffer.set(bytes, filled);
      filled += bytes.length;
    }
  }

  function writeContent(descriptor: number, path: string, sizeBytes: number): void {
    for (let left = sizeBytes; left > 0;) {
      if (filled === buffer.length) flush();
      const count = readSync(descriptor, buffer, filled, Math.min(left, buffer.length - filled), null);
      if (count === 0) throw new CleatError("ABORTED", `file ${showBytes(path)} became shorter while it was read`);
      filled += count;
      left -= count;
    }
    write(zeros.subarray(0, tarPaddingBytes(sizeBytes)));
  }

  const keptOf = (capability: Buffer): Buffer => (capabilityRootIds ? capability : withoutRootId(capability));

  /** Writes the header of a file that is on disk. In one piece, because there is one for each file. */
  function writeHeader(
    path: string,
    type: TarEntryType,
    status: FileStatus,
    capability: Buffer | undefined,
    linkName: Buffer = noName,
  ): void {
    write(
      encodeTarHeader({
        name: Buffer.from(path, "latin1"),
        type,
        linkName,
        mode: typeBits ? status.mode : status.mode & 0o7777,
        uid: ids.uids.toContainer(status.uid),
        gid: ids.gids.toContainer(status.gid),
        sizeBytes: type === "file" ? status.sizeBytes : 0,
        mtimeSeconds: status.mtimeSeconds,
        mtimeNanoseconds: 0,
        userName: names.user(status.uid),
        groupName: names.group(status.gid),
        deviceMajor: status.deviceMajor,
        deviceMinor: status.deviceMinor,
        xattrs: capability === undefined ? noXattrs : new Map([[capabilityName, keptOf(capability)]]),
        sparse: undefined,
      }),
    );
  }

  /** The earlier name of a file that has one in this archive already. */
  function earlierName(path: string, status: FileStatus): Buffer | undefined {
    if (status.links <= 1) return undefined;
    const key = fileKey(status);
    const earlier = linked.get(key);
    if (earlier === undefined) linked.set(key, Buffer.from(path, "latin1"));
    return earlier;
  }

  function addRegular(folder: number, base: Buffer, path: string, status: FileStatus): void {
    const descriptor = openRegular(folder, base);
    if (descriptor === undefined) {
      linked.delete(fileKey(status));
      return;
    }
    try {
      writeHeader(path, "file", status, fgetxattr(descriptor, capabilityName));
      writeContent(descriptor, path, status.sizeBytes);
    } finally {
      close(descriptor);
    }
  }

  function addKernelWhiteout(path: string, status: FileStatus, linkName: Buffer | undefined): void {
    const at = path.lastIndexOf("/") + 1;
    const { uid, gid, mtimeSeconds } = status;
    // The kernel links whiteouts to one another to save inodes, and Docker's archiver leaves the link's name in the field.
    write(
      encodeTarHeader(
        createTarHeader({
          name: Buffer.from(`${path.slice(0, at)}${whiteoutPrefix}${path.slice(at)}`, "latin1"),
          type: "file",
          mode: whiteoutMode,
          uid,
          gid,
          mtimeSeconds,
          userName: names.user(uid),
          groupName: names.group(gid),
          ...(linkName && { linkName }),
        }),
      ),
    );
  }

  function addFile(folder: number, base: Buffer, path: string, status: FileStatus): void {
    const type = entryTypeOf(status.mode);
    if (type === undefined) return;
    const linkName = earlierName(path, status);
    if (overlayWhiteouts && isOverlayWhiteout(status)) addKernelWhiteout(path, status, linkName);
    else if (linkName === undefined && type === "file") addRegular(folder, base, path, status);
    else {
      // What has no content of its own: a further name of a file, and whatever cannot be opened.
      const target = linkName ?? (type === "symlink" ? readlinkat(folder, base) : undefined);
      const capability = lgetxattr(procPath(folder, base), capabilityName);
      writeHeader(path, linkName === undefined ? type : "hardlink", status, capability, target);
    }
  }

  return {
    addFile,
    addDirectory(descriptor, path, status) {
      writeHeader(`${path}/`, "directory", status, fgetxattr(descriptor, capabilityName));
    },
    addOpaqueMarker(path, status) {
      const { uid, gid, mode } = status;
      write(
        encodeTarHeader(
          createTarHeader({
            name: Buffer.from(`${path}/${opaqueMarker}`, "latin1"),
            mode: mode & 0o777,
            uid: ids.uids.toContainer(uid),
            gid: ids.gids.toContainer(gid),
            userName: names.user(uid),
            groupName: names.group(gid),
          }),
        ),
      );
    },
    addWhiteout(path, mtimeSeconds) {
      const at = path.lastIndexOf("/") + 1;
      const name = Buffer.from(`${path.slice(0, at)}${whiteoutPrefix}${path.slice(at)}`, "latin1");
      write(encodeTarHeader(createTarHeader({ name, type: "file", mtimeSeconds })));
    },
    finish() {
      write(tarEndBlocks);
      flush();
    },
  };
}

const noName = Buffer.alloc(0);
/** Not a Buffer, whose `subarray` costs several times that of a plain array. */
const zeros = new Uint8Array(512);
const whiteoutMode = 0o600;

const capabilityName = "security.capability";
/** Source: `linux/capability.h` v6.1: revision 2 is 20 bytes, revision 3 has the user namespace's root appended. */
const capabilityBytes = 20;

/** A file's capabilities without the root id of revision 3, which means nothing outside its user namespace. */
function withoutRootId(capability: Buffer): Buffer {
  if (capability[3] !== 3) return capability;
  capability[3] = 2;
  return capability.subarray(0, capabilityBytes);
}
