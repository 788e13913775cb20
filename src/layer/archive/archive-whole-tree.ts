import { CleatError } from "../../errors/index.ts";
import {
  close,
  fgetxattr,
  type FileStatus,
  flistxattr,
  fstat,
  isDirectory,
  lgetxattr,
  llistxattr,
  lseek,
  nextData,
  nextHole,
  procPath,
  readlinkat,
  readNames,
  SEEK_SET,
  statIfThere,
} from "../../syscall/index.ts";
import {
  type ByteSink,
  createTarHeader,
  defaultTarLimits,
  encodeSparseTarHeader,
  encodeTarHeader,
  noXattrs,
  type SparseRegion,
  tarEndBlocks,
  type TarHeader,
  tarPaddingBytes,
} from "../../tar/index.ts";
import { escapeXattrName, joinPath, showBytes } from "../entry/entry-name.ts";
import { entryTypeOf } from "../entry/entry-type.ts";
import { fileKey } from "../entry/file-key.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
import { type OpenRegularFile, openRegularFile } from "../tree/open-regular.ts";
import { createGatheredSink, type GatheredSink } from "./gathered-sink.ts";

/**
 * Archives an open folder so that `unpackTree`, or `tar --xattrs --xattrs-include=*`, makes it anew: the folder's own
 * attributes first (`./`), times to the nanosecond, every extended attribute, hard links, holes, devices. Sockets mean
 * nothing without their process and are left out. No engine's archive, other than `archiveTree`'s. Blocks; memory grows
 * only with files that have several names.
 * @throws ABORTED when a file becomes shorter while it is read.
 */
export function archiveWholeTree(root: number, sink: ByteSink): void {
  const archive: Archive = { out: createGatheredSink(sink), linked: new Map() };
  const status = fstat(root);
  archive.out.write(encodeTarHeader(headerOf("./", "directory", status, xattrsOfOpen(root))));
  addBelow(createFolderTrail(root), "", archive);
  archive.out.write(tarEndBlocks);
  archive.out.end();
}

interface Archive {
  readonly out: GatheredSink;
  /** Files with several names: the name that they have in the archive already. */
  readonly linked: Map<string, Buffer>;
}

function addBelow(trail: FolderTrail, path: string, archive: Archive): void {
  for (const name of readNames(trail.current())) {
    const status = statIfThere(trail.current(), name);
    if (status === undefined) continue;
    const childPath = joinPath(path, name);
    if (!isDirectory(status)) {
      addFile(trail.current(), name, childPath, status, archive);
      continue;
    }
    trail.within(name, () => {
      const xattrs = xattrsOfOpen(trail.current());
      archive.out.write(encodeTarHeader(headerOf(`${childPath}/`, "directory", status, xattrs)));
      addBelow(trail, childPath, archive);
    });
  }
}

function addFile(folder: number, base: Buffer, path: string, status: FileStatus, { out, linked }: Archive): void {
  const type = entryTypeOf(status.mode);
  if (type === undefined) return;
  const earlier = status.links > 1 ? linked.get(fileKey(status)) : undefined;
  if (earlier !== undefined) {
    out.write(encodeTarHeader({ ...headerOf(path, "hardlink", status, noXattrs), linkName: earlier }));
    return;
  }
  if (type === "file") {
    const file = openRegularFile(folder, base);
    if (file === undefined) return;
    try {
      addContent(file, path, out);
    } finally {
      close(file.descriptor);
    }
    if (file.status.links > 1) linked.set(fileKey(file.status), toBytes(path));
    return;
  }
  const header = headerOf(path, type, status, xattrsAt(procPath(folder, base)));
  out.write(encodeTarHeader(type === "symlink" ? { ...header, linkName: readlinkat(folder, base) } : header));
  if (status.links > 1) linked.set(fileKey(status), toBytes(path));
}

/** As long as it was when it was opened: programs go on writing. */
function addContent({ descriptor, status }: OpenRegularFile, path: string, out: GatheredSink): void {
  const header = { ...headerOf(path, "file", status, xattrsOfOpen(descriptor)), sizeBytes: status.sizeBytes };
  const found = status.allocatedBytes < status.sizeBytes ? regionsOf(descriptor, status.sizeBytes) : undefined;
  // More regions no reader takes: then holes are written as zeros.
  const isSparse = found !== undefined && found.length < defaultTarLimits.maxSparseRegions;
  const regions = isSparse ? found : [{ offset: 0, sizeBytes: status.sizeBytes }];
  out.write(isSparse ? encodeSparseTarHeader({ ...header, sparse: regions }) : encodeTarHeader(header));
  let total = 0;
  for (const { offset, sizeBytes } of regions) {
    lseek(descriptor, offset, SEEK_SET);
    if (out.writeFrom(descriptor, sizeBytes) < sizeBytes) throw shorter(path);
    total += sizeBytes;
  }
  // What lay behind its end when its holes were looked for would have been one.
  if (isSparse && fstat(descriptor).sizeBytes < status.sizeBytes) throw shorter(path);
  out.write(Buffer.alloc(tarPaddingBytes(total)));
}

function shorter(path: string): CleatError {
  return new CleatError("ABORTED", `file ${showBytes(path)} became shorter while it was read`);
}

function regionsOf(descriptor: number, sizeBytes: number): SparseRegion[] {
  const regions: SparseRegion[] = [];
  for (let at = nextData(descriptor, 0); at < sizeBytes;) {
    // All but the last are whole blocks, as readers want them (`SparseMap.add`), also where a file system's are not.
    const dataBytes = nextHole(descriptor, at) - at;
    const end = Math.min(at + dataBytes + tarPaddingBytes(dataBytes), sizeBytes);
    regions.push({ offset: at, sizeBytes: end - at });
    at = nextData(descriptor, end);
  }
  return regions;
}

function headerOf(path: string, type: TarHeader["type"], status: FileStatus, xattrs: TarHeader["xattrs"]): TarHeader {
  const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds, deviceMajor, deviceMinor } = status;
  const isDevice = type === "character-device" || type === "block-device";
  return createTarHeader({
    name: toBytes(path),
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    mtimeSeconds,
    mtimeNanoseconds,
    xattrs,
    ...(isDevice && { deviceMajor, deviceMinor }),
  });
}

function xattrsOfOpen(descriptor: number): TarHeader["xattrs"] {
  return collect(flistxattr(descriptor), (name) => fgetxattr(descriptor, name));
}

function xattrsAt(path: Parameters<typeof llistxattr>[0]): TarHeader["xattrs"] {
  return collect(llistxattr(path), (name) => lgetxattr(path, name));
}

function collect(
  names: ReturnType<typeof flistxattr>,
  read: (name: string) => Buffer | undefined,
): TarHeader["xattrs"] {
  if (names.length === 0) return noXattrs;
  const found = names.flatMap((name): [string, Buffer][] => {
    const value = read(name);
    return value === undefined ? [] : [[escapeXattrName(name), Buffer.from(value)]];
  });
  return new Map(found);
}

function toBytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}
