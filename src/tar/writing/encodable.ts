import { CleatError, quoteBytes } from "../../errors/index.ts";
import { fields } from "../block/block.ts";
import { maxId } from "../block/header-block.ts";
import type { TarHeader } from "../block/header.ts";

const slash = 0x2f;
const maxOctal7 = 8 ** (fields.mode.bytes - 1) - 1;
const maxSafe = Number.MAX_SAFE_INTEGER;

/**
 * Refuses a header that would come back different, or could not be written at all.
 * @throws INVALID_ARGUMENT with what is wrong.
 */
export function checkEncodable(header: TarHeader): void {
  const { name, type, sizeBytes } = header;
  if (header.sparse !== undefined) throw toUnencodableError(header, "is sparse; it can only be written whole");
  for (const text of [name, header.linkName, header.userName, header.groupName]) {
    if (text.includes(0)) throw toUnencodableError(header, `has a name with a NUL in it, ${quoteBytes(text)}`);
  }
  if (name[name.length - 1] === slash && type !== "directory" && type !== "hardlink" && type !== "symlink") {
    throw toUnencodableError(header, `has a slash at its end but is a ${type}`);
  }
  if (type !== "file" && sizeBytes !== 0)
    throw toUnencodableError(header, `is a ${type} and cannot hold ${sizeBytes} bytes`);
  checkRange(header, "mode", header.mode, 0, maxOctal7);
  checkRange(header, "uid", header.uid, 0, maxId);
  checkRange(header, "gid", header.gid, 0, maxId);
  checkRange(header, "size", sizeBytes, 0, maxSafe);
  checkRange(header, "mtime", header.mtimeSeconds, -maxSafe, maxSafe);
  checkRange(header, "mtime's nanoseconds", header.mtimeNanoseconds, 0, 999_999_999);
  checkRange(header, "device major", header.deviceMajor, 0, maxOctal7);
  checkRange(header, "device minor", header.deviceMinor, 0, maxOctal7);
  for (const xattr of header.xattrs.keys()) {
    // A reader would cut the key at the first "=", and PAX has no way to escape it.
    if (xattr === "" || xattr.includes("=") || xattr.includes("\0")) {
      throw toUnencodableError(header, `has an extended attribute named ${JSON.stringify(xattr)}`);
    }
  }
}

function checkRange(header: TarHeader, label: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw toUnencodableError(header, `has ${value} for a ${label}, which must be an integer from ${min} to ${max}`);
}

function toUnencodableError(header: TarHeader, message: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `entry ${quoteBytes(header.name)} ${message}`);
}
