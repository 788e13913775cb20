import { ftruncateSync, writeSync } from "node:fs";
import { CleatError } from "../../../errors/index.ts";
import { close, fsync, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, openat } from "../../../syscall/index.ts";
import type { SparseRegion, TarHeader, TarReader } from "../../../tar/index.ts";
import { creationMode, processGid, processUid } from "../../copy/owner-and-mode.ts";
import { dropInherited } from "../../copy/inherited-access.ts";
import { type AttributeRules, type Attributes, setAttributes } from "../folders/attributes.ts";
import type { OpenFolder } from "../folders/folder-cache.ts";

export interface MakeFileOptions {
  readonly syncFiles: boolean;
  readonly rules: AttributeRules;
}

/**
 * Makes a regular file, which must not exist yet, with its content and attributes.
 * @throws SystemError EEXIST, before anything was read, when the name is taken.
 */
export function makeFile(
  folder: OpenFolder,
  base: Buffer,
  header: TarHeader,
  wanted: Attributes,
  reader: TarReader,
  { syncFiles, rules }: MakeFileOptions,
): void {
  const mode = folder.givesGroup || folder.givesAcl ? 0o600 : creationMode(wanted, false);
  const descriptor = openat(folder.descriptor, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    if (header.sparse === undefined) writeAll(descriptor, reader);
    else writeSparse(descriptor, reader, header.sparse, header.sizeBytes);
    const gid = folder.givesGroup ? -1 : processGid;
    if (folder.givesAcl) dropInherited(descriptor);
    setAttributes(descriptor, header, wanted, { uid: processUid, gid, mode: folder.givesAcl ? -1 : mode }, rules);
    if (syncFiles) fsync(descriptor);
  } finally {
    close(descriptor);
  }
}

function writeAll(descriptor: number, reader: TarReader): void {
  for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) {
    for (let at = 0; at < chunk.length;) at += writeSync(descriptor, chunk, at, chunk.length - at);
  }
}

/** Writes each region's bytes where they belong; what lies between stays a hole. */
function writeSparse(descriptor: number, reader: TarReader, regions: readonly SparseRegion[], sizeBytes: number): void {
  ftruncateSync(descriptor, sizeBytes);
  let chunk = reader.read();
  for (const { offset, sizeBytes: regionBytes } of regions) {
    for (let done = 0; done < regionBytes;) {
      if (chunk === undefined) throw new CleatError("DATA_LOSS", "sparse file ends before its last region");
      const count = writeSync(descriptor, chunk, 0, Math.min(chunk.length, regionBytes - done), offset + done);
      done += count;
      chunk = count < chunk.length ? chunk.subarray(count) : reader.read();
    }
  }
}
