/** Cuts a stream of bytes into lines. */
export interface LineSplitter {
  write(bytes: Uint8Array): void;
  /** Hands on a last line that has no break. */
  finish(): void;
}

const newline = 0x0a;

/**
 * Hands on each line without its break, leaving out empty ones; a line is valid until `onLine` returns. Lines that come
 * in many pieces are put together once. `onTooLong` must throw.
 */
export function createLineSplitter(
  maxLineBytes: number,
  onLine: (line: Buffer) => void,
  onTooLong: () => never,
): LineSplitter {
  let pieces: Buffer[] = [];
  let pieceBytes = 0;

  function endLine(last: Buffer): void {
    if (pieceBytes + last.length > maxLineBytes) onTooLong();
    const line = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    pieces = [];
    pieceBytes = 0;
    if (line.length > 0) onLine(line);
  }

  return {
    write({ buffer, byteOffset, length }) {
      const bytes = Buffer.from(buffer, byteOffset, length);
      let start = 0;
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
        endLine(bytes.subarray(start, end));
        start = end + 1;
      }
      const rest = bytes.length - start;
      if (pieceBytes + rest > maxLineBytes) onTooLong();
      if (rest > 0) pieces.push(Buffer.from(bytes.subarray(start)));
      pieceBytes += rest;
    },
    finish() {
      endLine(Buffer.alloc(0));
    },
  };
}
