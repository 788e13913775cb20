/**
 * Writes files into a layer archive exactly as Docker's archiver does, so that a layer gets the same digest from
 * either: whole seconds, of all attributes only `security.capability`; up to v20.10 mode fields with the file type's
 * bits.
 *
 * Source: moby v20.10.24 `pkg/archive/archive.go` (`FileInfoHeader`, `addTarFile`), `archive_linux.go`.
 */
import { CleatError } from "../../errors/index.ts";
import { close, fgetxattr, type FileStatus, lgetxattr, procPath, readlinkat } from "../../syscall/index.ts";
import {
  blockBytes,
  type ByteSink,
  encodeTarHeader,
  tarEndBlocks,
  type TarHeader,
  tarPaddingBytes,
} from "../../tar/index.ts";
import { showBytes } from "../entry/entry-name.ts";
import { entryTypeOf, isOverlayWhiteout } from "../entry/entry-type.ts";
import { fileKey } from "../entry/file-key.ts";
import { openRegularFile } from "../tree/open-regular.ts";
import { type ArchiveHeaderOptions, capabilityAttribute, createArchiveHeaders } from "./archive-headers.ts";
import { createGatheredSink } from "./gathered-sink.ts";

export interface ArchiveWriter {
  /**
   * Adds the file called `base` in an open folder under the byte string `path`; a socket is passed over. False where
   * the name is no longer that of the file with `status`: then nothing was added, or the one that has taken it.
   */
  addFile(folder: number, base: Buffer, path: string, status: FileStatus): boolean;
  /**
   * As `addFile`, of a name that its folder says is a regular file, which spares the look at it before it is opened;
   * false where it is none now, and nothing was added.
   */
  addListedFile(folder: number, base: Buffer, path: string): boolean;
  /** Adds a folder that is open as `descriptor`, without what lies in it. */
  addDirectory(descriptor: number, path: string, status: FileStatus): void;
  /** Adds the file by which an archive says that a folder hides what lies below it. */
  addOpaqueMarker(path: string, status: FileStatus): void;
  /** Adds a deletion of `path` at a time. */
  addWhiteout(path: string, mtimeSeconds: number): void;
  /** Ends the archive. */
  finish(): void;
}

export interface ArchiveWriterOptions extends ArchiveHeaderOptions {
  /** Whether character devices 0/0 are deletions. */
  readonly overlayWhiteouts: boolean;
}

export function createArchiveWriter(sink: ByteSink, options: ArchiveWriterOptions): ArchiveWriter {
  const gathered = createGatheredSink(sink);
  const headers = createArchiveHeaders(options);
  const links = createLinkedNames();
  const block = Buffer.alloc(blockBytes);

  function writeHeader(header: TarHeader): void {
    gathered.write(encodeTarHeader(header, block));
  }

  function writeContent(descriptor: number, path: string, sizeBytes: number): void {
    const count = gathered.writeFrom(descriptor, sizeBytes);
    if (count < sizeBytes) throw new CleatError("ABORTED", `file ${showBytes(path)} became shorter while it was read`);
    gathered.writeZeros(tarPaddingBytes(sizeBytes));
  }

  function addRegular(folder: number, base: Buffer, path: string, status: FileStatus): boolean {
    const file = openRegularFile(folder, base);
    if (file === undefined) {
      links.forget(status);
      return false;
    }
    try {
      const isListed = fileKey(file.status) === fileKey(status);
      if (isListed) addOpened(file.descriptor, path, file.status);
      else {
        // Another has taken the name since it was listed: its own length and owner go with its content.
        links.forget(status);
        addDescriptor(file.descriptor, path, file.status);
      }
      return isListed;
    } finally {
      close(file.descriptor);
    }
  }

  function addDescriptor(descriptor: number, path: string, status: FileStatus): void {
    const linkName = links.earlierName(path, status);
    if (linkName === undefined) return addOpened(descriptor, path, status);
    const capability = fgetxattr(descriptor, capabilityAttribute);
    writeHeader(headers.ofFile(path, "hardlink", status, { capability, linkName }));
  }

  function addOpened(descriptor: number, path: string, status: FileStatus): void {
    writeHeader(headers.ofFile(path, "file", status, { capability: fgetxattr(descriptor, capabilityAttribute) }));
    writeContent(descriptor, path, status.sizeBytes);
  }

  return {
    addFile(folder, base, path, status) {
      const type = entryTypeOf(status.mode);
      if (type === undefined) return true;
      const earlier = links.earlierName(path, status);
      if (options.overlayWhiteouts && isOverlayWhiteout(status)) {
        writeHeader(headers.ofOverlayWhiteout(path, status, earlier));
      } else if (earlier === undefined && type === "file") return addRegular(folder, base, path, status);
      else {
        // What has no content of its own: a further name of a file, and whatever cannot be opened.
        const linkName = earlier ?? (type === "symlink" ? readlinkat(folder, base) : undefined);
        const capability = lgetxattr(procPath(folder, base), capabilityAttribute);
        const written = earlier === undefined ? type : "hardlink";
        writeHeader(headers.ofFile(path, written, status, { capability, linkName }));
      }
      return true;
    },
    addListedFile(folder, base, path) {
      const file = openRegularFile(folder, base);
      if (file === undefined) return false;
      try {
        addDescriptor(file.descriptor, path, file.status);
      } finally {
        close(file.descriptor);
      }
      return true;
    },
    addDirectory(descriptor, path, status) {
      const capability = fgetxattr(descriptor, capabilityAttribute);
      writeHeader(headers.ofFile(`${path}/`, "directory", status, { capability }));
    },
    addOpaqueMarker: (path, status) => writeHeader(headers.ofOpaqueMarker(path, status)),
    addWhiteout: (path, mtimeSeconds) => writeHeader(headers.ofWhiteout(path, mtimeSeconds)),
    finish() {
      gathered.write(tarEndBlocks);
      gathered.end();
    },
  };
}

/** Files with several names: the first name that the archive has for them. */
interface LinkedNames {
  /** The earlier name of a file that has one in this archive already; else `path` is that from now on. */
  earlierName(path: string, status: FileStatus): Buffer | undefined;
  forget(status: FileStatus): void;
}

function createLinkedNames(): LinkedNames {
  const linked = new Map<string, Buffer>();
  return {
    earlierName(path, status) {
      if (status.links <= 1) return undefined;
      const key = fileKey(status);
      const earlier = linked.get(key);
      if (earlier === undefined) linked.set(key, Buffer.from(path, "latin1"));
      return earlier;
    },
    forget: (status) => void linked.delete(fileKey(status)),
  };
}
