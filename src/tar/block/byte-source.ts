/** Where a synchronous reader gets its bytes: a ring shared with another thread, an open file, a list in a test. */
export interface ByteSource {
  /** The next bytes, at least one, valid until the next call; `undefined` at the end. Blocks while there are none. */
  read(): Uint8Array | undefined;
}

/** Where a synchronous writer puts its bytes. They are copied, or written, before `write` returns. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
  /**
   * Memory of its own that the next bytes may be made in, some kilobytes at least, which spares a copy; `undefined`
   * where there is none just now. Until `commit` nothing else may be written. Blocks as `write` does.
   */
  claim?(): Buffer | undefined;
  /** Writes the first `count` bytes of what was claimed last. */
  commit?(count: number): void;
  /**
   * Moves the next bytes of an open file on by itself, at most `sizeBytes`; how many those were. Fewer where it does so
   * no more, or where the file ends.
   */
  send?(file: number, sizeBytes: number): number;
}
