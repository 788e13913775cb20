import type { ByteSource } from "./byte-source.ts";

/** A byte source cut to the sizes that a reader of archives asks for. */
export interface ArchiveInput {
  /** How many bytes of the archive have been consumed. */
  readonly offset: number;
  /** Fills `target` and returns how many bytes it got; fewer than asked only where the source ends. */
  readInto(target: Uint8Array): number;
  /** The next bytes, at most `maxBytes` (at least 1), as a view that is valid until the next call. */
  readView(maxBytes: number): Uint8Array | undefined;
  /** Consumes `count` bytes and returns how many there were. */
  skip(count: number): number;
}

const nothing = new Uint8Array(0);

export function createArchiveInput(source: ByteSource): ArchiveInput {
  let chunk: Uint8Array = nothing;
  let used = 0;
  let offset = 0;
  let ended = false;

  /** Makes sure that the chunk has a byte left; false at the source's end, which is asked for only once. */
  function refill(): boolean {
    while (used === chunk.length) {
      if (ended) return false;
      const next = source.read();
      ended = next === undefined;
      // Not a Buffer: its `subarray` costs several times that of a plain array, once for each header.
      chunk = next === undefined ? nothing : new Uint8Array(next.buffer, next.byteOffset, next.length);
      used = 0;
    }
    return true;
  }

  function take(count: number): number {
    const taken = Math.min(count, chunk.length - used);
    used += taken;
    offset += taken;
    return taken;
  }

  return {
    get offset() {
      return offset;
    },
    readInto(target) {
      let filled = 0;
      while (filled < target.length && refill()) {
        const from = used;
        const taken = take(target.length - filled);
        target.set(chunk.subarray(from, from + taken), filled);
        filled += taken;
      }
      return filled;
    },
    readView(maxBytes) {
      if (!refill()) return undefined;
      const from = used;
      const taken = take(maxBytes);
      return from === 0 && taken === chunk.length ? chunk : chunk.subarray(from, from + taken);
    },
    skip(count) {
      let skipped = 0;
      while (skipped < count && refill()) skipped += take(count - skipped);
      return skipped;
    },
  };
}
