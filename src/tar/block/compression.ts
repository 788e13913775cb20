import { CleatError } from "../../errors/index.ts";

const any = -1;

/**
 * How compressed files begin, as far as no tar header with a right checksum does. Sources: RFC 1952, RFC 8878, the
 * formats' own descriptions of bzip2 1.0, xz 1.2, lz4 1.6, lzip 1.2, zip (APPNOTE 6.3) and compress(1).
 */
const beginnings: readonly [name: string, magic: readonly number[]][] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  // "BZh", a level, and the first block's mark or that of the end.
  ["bzip2", [0x42, 0x5a, 0x68, any, 0x31, 0x41]],
  ["bzip2", [0x42, 0x5a, 0x68, any, 0x17, 0x72]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["lzip", [0x4c, 0x5a, 0x49, 0x50, 0x01]],
  ["lzma", [0x5d, 0x00, 0x00]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["compress", [0x1f, 0x9d]],
];

/** Skippable frames, with which zstd files may begin (those of pzstd do). Source: RFC 8878, 3.1.2. */
function isSkippableFrame(start: Uint8Array): boolean {
  return ((start[0] ?? 0) & 0xf0) === 0x50 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
}

/**
 * What to tell of bytes that are no tar header and stand at an archive's start; `undefined` where they look like
 * nothing.
 */
export function describeCompression(start: Uint8Array): CleatError | undefined {
  const name = isSkippableFrame(start)
    ? "zstd"
    : beginnings.find(([, magic]) => magic.every((byte, at) => byte === any || start[at] === byte))?.[0];
  return name === undefined
    ? undefined
    : new CleatError("INVALID_ARGUMENT", `this is ${name}; give the uncompressed archive`);
}
