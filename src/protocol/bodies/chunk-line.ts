/**
 * What stands between the contents of two chunks (RFC 9112, 7.1), as far as it is as plain as every client writes it.
 */
export type ChunkLine =
  /** The chunk's content begins at `end`; it is not the last one. */
  | { readonly kind: "chunk"; readonly end: number; readonly sizeBytes: number }
  /** More has to come before it can be told. */
  | { readonly kind: "partial" }
  /** The last chunk, extensions, what is malformed: another parser's to read, which knows how strict to be. */
  | { readonly kind: "other" };

const [CR, LF] = [13, 10];
/** Sizes of eight digits, 4 GiB, are every client's. */
const maxDigits = 8;

const partial: ChunkLine = { kind: "partial" };
const other: ChunkLine = { kind: "other" };

/** Reads it at `start`; `isBehindChunk` where the content of another chunk has to be ended first. */
export function readChunkLine(bytes: Uint8Array, start: number, end: number, isBehindChunk: boolean): ChunkLine {
  let at = start;
  if (isBehindChunk) {
    if (at < end && bytes[at] !== CR) return other;
    if (at + 1 < end && bytes[at + 1] !== LF) return other;
    at += 2;
  }
  let sizeBytes = 0;
  const first = at;
  for (; at < end; at++) {
    const digit = digitOf(bytes[at] as number);
    if (digit === undefined) break;
    if (at - first === maxDigits) return other;
    sizeBytes = sizeBytes * 16 + digit;
  }
  if (at >= end) return partial;
  if (at === first || bytes[at] !== CR) return other;
  if (at + 1 === end) return partial;
  if (bytes[at + 1] !== LF || sizeBytes === 0) return other;
  return { kind: "chunk", end: at + 2, sizeBytes };
}

function digitOf(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

/** Where a chunked body stands: inside of a chunk, behind the content of one, or before the size of one. */
export type ChunkPlace = { readonly at: "inside"; readonly leftBytes: number } | { readonly at: "behind" | "before" };

/** Follows a chunked body, which another parser reads. */
export interface ChunkTracker {
  /** Is told of all bytes of the body, frames included. */
  push(bytes: Uint8Array): void;
  /** `undefined` in the middle of what stands between two chunks, and for good where that is not plain. */
  place(): ChunkPlace | undefined;
}

export function createChunkTracker(): ChunkTracker {
  let leftBytes = 0;
  let isBehindChunk = false;
  let isPlain = true;
  /** What has come of a line. */
  let begun = Buffer.alloc(0);

  return {
    push(pushed) {
      const bytes = begun.length === 0 ? pushed : Buffer.concat([begun, pushed]);
      begun = Buffer.alloc(0);
      for (let at = 0; isPlain;) {
        const passed = Math.min(leftBytes, bytes.length - at);
        at += passed;
        leftBytes -= passed;
        if (at === bytes.length) return;
        const line = readChunkLine(bytes, at, bytes.length, isBehindChunk);
        if (line.kind === "partial") return void (begun = Buffer.from(bytes.subarray(at)));
        isPlain = line.kind === "chunk";
        if (line.kind !== "chunk") return;
        isBehindChunk = true;
        ({ end: at, sizeBytes: leftBytes } = line);
      }
    },
    place() {
      if (!isPlain) return undefined;
      if (leftBytes > 0) return { at: "inside", leftBytes };
      if (begun.length === 0) return { at: isBehindChunk ? "behind" : "before" };
      return isBehindChunk && begun.toString("latin1") === "\r\n" ? { at: "before" } : undefined;
    },
  };
}
