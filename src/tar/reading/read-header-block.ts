import { CleatError, quoteBytes } from "../../errors/index.ts";
import type { ArchiveInput } from "../block/archive-input.ts";
import { blockBytes, fields } from "../block/block.ts";
import { describeCompression } from "../block/compression.ts";
import { isZeroBlock, sumBlock, sumBlockSigned } from "../block/checksum.ts";
import { toMalformedError, toTruncatedError } from "../block/malformed.ts";
import { parseOctalField } from "../block/number-field.ts";

/**
 * Fills `block` with the next header block and checks its sum; false where the archive ends, which is read to the end
 * of its input then. An archive ends at two blocks of zeros, at one that is the last of the input, or, when
 * `mayEndHere`, at the end of the input itself: Go and GNU tar accept all three.
 * @throws INVALID_ARGUMENT when the sum is wrong, or one block of zeros stands between headers: Go refuses that too,
 * GNU tar and libarchive stop there.
 * @throws DATA_LOSS when the input ends elsewhere.
 */
export function readHeaderBlock(
  input: ArchiveInput,
  block: Buffer,
  mayEndHere: boolean,
  maxTrailingBytes: number,
): boolean {
  const at = input.offset;
  const got = input.readInto(block);
  if (got === 0 && at === 0) throw new CleatError("INVALID_ARGUMENT", "archive is empty, not even end blocks");
  if (got === 0 && mayEndHere) return false;
  if (got < blockBytes) {
    throw (
      compressionAt(at, block.subarray(0, got)) ??
      toTruncatedError(at + got, `where the header at byte ${at} is not complete`)
    );
  }
  const sum = sumBlock(block);
  if (isZeroBlock(block, sum)) {
    readArchiveEnd(input, block, maxTrailingBytes);
    return false;
  }
  checkSum(block, sum, at);
  return true;
}

function checkSum(block: Buffer, sum: number, at: number): void {
  const stored = parseOctalField(block, fields.checksum);
  if (stored === sum || stored === sumBlockSigned(block)) return;
  const compression = compressionAt(at, block);
  if (compression !== undefined) throw compression;
  const raw = quoteBytes(block.subarray(fields.checksum.start, fields.checksum.start + fields.checksum.bytes));
  throw toMalformedError(
    at,
    `has the checksum ${raw} but its bytes add up to ${sum.toString(8)}, so it is not a tar header`,
  );
}

/** Whoever gives a compressed archive gives it from its first byte on. */
function compressionAt(at: number, block: Buffer): CleatError | undefined {
  return at === 0 ? describeCompression(block) : undefined;
}

/**
 * Reads what is left after the first block of zeros. Whatever stands behind the second one is thrown away, so that a
 * peer who pads generously (GNU tar writes records of 20 blocks) can finish writing.
 */
function readArchiveEnd(input: ArchiveInput, block: Buffer, maxTrailingBytes: number): void {
  const at = input.offset;
  const got = input.readInto(block);
  if (got === 0) return;
  if (got < blockBytes) throw toTruncatedError(at + got, `inside the second of its end blocks`);
  if (!isZeroBlock(block, sumBlock(block))) throw toMalformedError(at, "follows a single block of zeros");
  if (input.skip(maxTrailingBytes) === maxTrailingBytes && input.readView(1) !== undefined) {
    throw new CleatError("INVALID_ARGUMENT", `archive has more than ${maxTrailingBytes} bytes after its end blocks`);
  }
}
