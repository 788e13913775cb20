import { quoteBytes } from "../../errors/index.ts";
import { type HeaderDraft, maxId, toId } from "../block/header-block.ts";
import { toMalformedError } from "../block/malformed.ts";
import { parsePaxInteger, parsePaxNumber, type PaxRecords, sparseKeyPrefix, xattrKeyPrefix } from "./pax-records.ts";
import { parsePaxTime } from "./pax-time.ts";

const numberKeys = ["size", "uid", "gid", "mtime"];
const perEntryKeys = ["path", "linkpath", "size"];

/**
 * Adds a global header's records to those in force. Only what can be true of many entries is kept.
 * @throws INVALID_ARGUMENT when it would set a name, a size, a sparse map or extended attributes. GNU tar obeys global
 * headers as POSIX wants, Go (and so Docker) and libarchive ignore them: with a global name or size one archive would
 * hold other entries for each of them. The others are to say what each entry says as well (`applyPax`).
 */
export function mergeGlobalPax(inForce: PaxRecords, added: PaxRecords, at: number): PaxRecords {
  for (const [key, value] of added) {
    const isPerEntry = perEntryKeys.includes(key) || key.startsWith(sparseKeyPrefix) || key.startsWith(xattrKeyPrefix);
    if (isPerEntry && value.length > 0)
      throw toMalformedError(at, `sets ${quoteBytes(Buffer.from(key, "latin1"))} for all entries`);
  }
  const merged = new Map(inForce);
  for (const key of globalKeys) {
    const value = added.get(key);
    if (value !== undefined) merged.set(key, value);
  }
  return merged;
}

/**
 * Puts the records of a PAX header over the fields of the header block. An empty text leaves the field
 * alone, as in Go. `atime`, `ctime`, `comment`, `charset`, `hdrcharset` (names are bytes here) and
 * unknown keys are ignored; so is `LIBARCHIVE.xattr.*`, which repeats `SCHILY.xattr.*` in another encoding.
 * @throws INVALID_ARGUMENT when a number is none or out of range, there are more than `maxXattrs` attributes, or
 * readers disagree: about a global record that says other than the entry, or an empty number, which libarchive takes
 * for 0.
 */
export function applyPax(
  draft: HeaderDraft,
  local: PaxRecords,
  global: PaxRecords,
  at: number,
  maxXattrs: number,
): void {
  const record = (key: string): Buffer | undefined => {
    const value = local.get(key) ?? global.get(key);
    return value === undefined || value.length === 0 ? undefined : value;
  };
  for (const key of numberKeys) if (local.get(key)?.length === 0) throw toMalformedError(at, `has an empty PAX ${key}`);
  const own = { ...draft };
  draft.name = record("path") ?? draft.name;
  draft.linkName = record("linkpath") ?? draft.linkName;
  draft.userName = record("uname") ?? draft.userName;
  draft.groupName = record("gname") ?? draft.groupName;
  draft.uid = idOf("uid", record("uid"), at) ?? draft.uid;
  draft.gid = idOf("gid", record("gid"), at) ?? draft.gid;
  draft.sizeBytes = numberOf("size", record("size"), parsePaxNumber, Number.MAX_SAFE_INTEGER, at) ?? draft.sizeBytes;
  const mtime = record("mtime");
  if (mtime !== undefined) {
    const time = mtime.length > 64 ? undefined : parsePaxTime(mtime.toString("latin1"));
    if (time === undefined) throw toMalformedError(at, `has an invalid PAX mtime ${quoteBytes(mtime)}`);
    draft.mtimeSeconds = time.seconds;
    draft.mtimeNanoseconds = time.nanoseconds;
  }
  refuseOverruled(own, draft, local, at);
  draft.xattrs = xattrsOf(local, at, maxXattrs) ?? draft.xattrs;
}

/** The keys of a global header by the fields that they set. */
const globalFields = {
  uid: ["uid"],
  gid: ["gid"],
  uname: ["userName"],
  gname: ["groupName"],
  mtime: ["mtimeSeconds", "mtimeNanoseconds"],
} as const satisfies Record<string, readonly (keyof HeaderDraft)[]>;

const globalKeys = Object.keys(globalFields) as (keyof typeof globalFields)[];

/**
 * A global record is to make no difference: those who obey it would else give the entry another owner than those who do
 * not.
 */
function refuseOverruled(own: HeaderDraft, draft: HeaderDraft, local: PaxRecords, at: number): void {
  for (const key of globalKeys) {
    if (local.has(key) || globalFields[key].every((field) => isSame(own[field], draft[field]))) continue;
    throw toMalformedError(at, `has another ${key} than the global PAX header before it says`);
  }
}

function isSame(one: Buffer | number, other: Buffer | number): boolean {
  return typeof one === "number" || typeof other === "number" ? one === other : one.equals(other);
}

function idOf(key: string, value: Buffer | undefined, at: number): number | undefined {
  return numberOf(key, value, (text) => toId(parsePaxInteger(text)), maxId, at);
}

function numberOf(
  key: string,
  value: Buffer | undefined,
  parse: (value: Buffer) => number,
  max: number,
  at: number,
): number | undefined {
  if (value === undefined) return undefined;
  const number = parse(value);
  if (number <= max) return number;
  throw toMalformedError(at, `has an invalid PAX ${key}: ${quoteBytes(value)} is not a number from 0 to ${max}`);
}

/** Here an empty value is an empty attribute, which Linux knows and GNU tar restores; Go drops it. */
function xattrsOf(local: PaxRecords, at: number, maxXattrs: number): Map<string, Buffer> | undefined {
  let xattrs: Map<string, Buffer> | undefined;
  for (const [key, value] of local) {
    if (!key.startsWith(xattrKeyPrefix)) continue;
    xattrs ??= new Map();
    if (key.length === xattrKeyPrefix.length) throw toMalformedError(at, "has an extended attribute without a name");
    if (xattrs.size === maxXattrs) throw toMalformedError(at, `has more than ${maxXattrs} extended attributes`);
    xattrs.set(key.slice(xattrKeyPrefix.length), value);
  }
  return xattrs;
}
