import { quoteBytes } from "../../errors/index.ts";
import type { ArchiveInput } from "../block/archive-input.ts";
import { fields, noBytes } from "../block/block.ts";
import { parseGnuRealSize, readGnuSparseMap } from "../sparse/gnu-sparse.ts";
import { decodeHeaderBlock, type HeaderDraft, isGnuHeader } from "../block/header-block.ts";
import type { TarHeader } from "../block/header.ts";
import type { TarLimits } from "../block/limits.ts";
import { toMalformedError } from "../block/malformed.ts";
import { applyPax } from "../pax/pax-merge.ts";
import { noPaxRecords, type PaxRecords } from "../pax/pax-records.ts";
import { addInlineSparseMap, parsePaxSparse, type PaxSparse, readLeadingSparseMap } from "../sparse/pax-sparse.ts";
import { createSparseMap } from "../sparse/sparse-map.ts";
import { entryTypeOfFlag, typeFlag } from "../block/type-flag.ts";

const slash = 0x2f;

/** What headers of their own say about the entry that follows them. */
export interface EntryPreface {
  pax: PaxRecords | undefined;
  longName: Buffer | undefined;
  longLinkName: Buffer | undefined;
}

/** An entry whose headers are read; its content is what comes next. */
export interface Entry {
  readonly header: TarHeader;
  /** Bytes of content that the archive holds. */
  readonly storedBytes: number;
}

/** Linux keeps 12 bits of major and 20 of minor number; `mknod` would cut larger ones to another device. */
const maxDeviceMajor = 2 ** 12 - 1;
const maxDeviceMinor = 2 ** 20 - 1;

/**
 * Puts an entry together from its header block at `at` and what came before it. Reads a sparse map that stands behind
 * the header block.
 */
export function finishEntry(
  input: ArchiveInput,
  block: Buffer,
  at: number,
  preface: EntryPreface,
  global: PaxRecords,
  limits: TarLimits,
): Entry {
  const draft = decodeHeaderBlock(block, at);
  const { pax } = preface;
  if (pax !== undefined || global.size > 0) applyPax(draft, pax ?? noPaxRecords, global, at, limits.maxXattrs);
  draft.name = reconcile(preface.longName, pax?.get("path"), at) ?? draft.name;
  draft.linkName = reconcile(preface.longLinkName, pax?.get("linkpath"), at) ?? draft.linkName;
  const paxSparse = pax === undefined ? undefined : parsePaxSparse(pax, at);
  draft.name = paxSparse?.name ?? draft.name;

  const flag = block[fields.typeFlag.start] as number;
  draft.type = typeOf(flag, draft.name, at);
  if (draft.type !== "hardlink" && draft.type !== "symlink") draft.linkName = noBytes;
  if (draft.type !== "file") {
    checkWithoutContent(draft, flag, paxSparse, at);
    draft.sizeBytes = 0;
    return { header: draft, storedBytes: 0 };
  }
  if (flag === typeFlag.gnuSparseFile) return finishGnuSparse(input, block, at, draft, paxSparse, limits);
  if (paxSparse !== undefined) return finishPaxSparse(input, at, draft, paxSparse, pax ?? noPaxRecords, limits);
  return { header: draft, storedBytes: draft.sizeBytes };
}

function typeOf(flag: number, name: Buffer, at: number): TarHeader["type"] {
  const type = entryTypeOfFlag(flag, name);
  if (type === undefined) {
    const problem = `has type flag ${quoteBytes(Buffer.of(flag))}, which no layer may hold`;
    throw toMalformedError(at, `of ${quoteBytes(name)} ${problem}`);
  }
  // For GNU tar and libarchive a directory, as with flag NUL; for Go a file.
  if (type === "file" && name[name.length - 1] === slash)
    throw toMalformedError(at, `of ${quoteBytes(name)} is a file with the name of a directory`);
  return type;
}

/**
 * Where GNU and PAX headers both name an entry, Go believes the GNU one, GNU tar the PAX one and libarchive the first.
 * Apache Commons Compress may write both, with the same name.
 */
function reconcile(gnu: Buffer | undefined, pax: Buffer | undefined, at: number): Buffer | undefined {
  if (gnu === undefined || gnu.length === 0) return undefined;
  if (pax !== undefined && pax.length > 0 && !pax.equals(gnu)) {
    throw toMalformedError(at, `is named ${quoteBytes(gnu)} by a GNU header and ${quoteBytes(pax)} by a PAX header`);
  }
  return gnu;
}

/** Source: POSIX.1-2017 pax, typeflag 1 to 6: no content is stored, whatever the size field says; Go reads them so. */
function checkWithoutContent(draft: HeaderDraft, flag: number, sparse: PaxSparse | undefined, at: number): void {
  const { type, name, deviceMajor, deviceMinor } = draft;
  if (sparse !== undefined || flag === typeFlag.gnuSparseFile) {
    throw toMalformedError(at, `of ${quoteBytes(name)} has a sparse map but is a ${type}`);
  }
  // A directory only by its name: libarchive, and Go for flag NUL, take its content for headers, GNU tar skips it.
  if (type === "directory" && flag !== typeFlag.directory && draft.sizeBytes > 0) {
    throw toMalformedError(at, `of ${quoteBytes(name)} has ${draft.sizeBytes} bytes of content but a directory's name`);
  }
  const isDevice = type === "character-device" || type === "block-device";
  if (isDevice && (deviceMajor > maxDeviceMajor || deviceMinor > maxDeviceMinor)) {
    throw toMalformedError(
      at,
      `of ${quoteBytes(name)} has the device number ${deviceMajor}:${deviceMinor}, beyond 4095:1048575`,
    );
  }
}

function finishGnuSparse(
  input: ArchiveInput,
  block: Buffer,
  at: number,
  draft: HeaderDraft,
  paxSparse: PaxSparse | undefined,
  limits: TarLimits,
): Entry {
  // Old star has the same flag with another layout.
  if (!isGnuHeader(block))
    throw toMalformedError(at, `of ${quoteBytes(draft.name)} has type flag "S" but is not of GNU format`);
  if (paxSparse !== undefined) throw toMalformedError(at, `of ${quoteBytes(draft.name)} has two sparse maps`);
  const storedBytes = draft.sizeBytes;
  draft.sizeBytes = parseGnuRealSize(block, at);
  const map = createSparseMap(at, limits.maxSparseRegions);
  readGnuSparseMap(input, block, at, map);
  draft.sparse = map.finish(draft.sizeBytes, storedBytes);
  return { header: draft, storedBytes };
}

function finishPaxSparse(
  input: ArchiveInput,
  at: number,
  draft: HeaderDraft,
  paxSparse: PaxSparse,
  records: PaxRecords,
  limits: TarLimits,
): Entry {
  const map = createSparseMap(at, limits.maxSparseRegions);
  let storedBytes = draft.sizeBytes;
  draft.sizeBytes = paxSparse.fileBytes ?? draft.sizeBytes;
  if (paxSparse.mapPrecedesContent) storedBytes -= readLeadingSparseMap(input, storedBytes, at, map);
  else addInlineSparseMap(records, at, map);
  draft.sparse = map.finish(draft.sizeBytes, storedBytes);
  return { header: draft, storedBytes };
}
