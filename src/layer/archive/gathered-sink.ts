import { readSync } from "node:fs";
import type { ByteSink } from "../../tar/index.ts";

/** A sink that is told of headers and content in pieces of some size. */
export interface GatheredSink {
  write(bytes: Uint8Array): void;
  /** Fewer than are held at once. */
  writeZeros(count: number): void;
  /** Writes the next bytes of an open file; answers how many there were, fewer than asked for only at its end. */
  writeFrom(descriptor: number, sizeBytes: number): number;
  /** Hands on what is held: nothing comes any more. */
  end(): void;
}

/** This much is held before it goes on, so that a small file costs no hand-over of its own. */
const bufferBytes = 256 * 1024;

/** What is copied costs less than a call of its own. */
const largeBytes = 64 * 1024;

/** Of the last archive: to a small one a buffer of its own costs more, in collections, than all else. */
let spare: Buffer | undefined;

export function createGatheredSink(sink: ByteSink): GatheredSink {
  const buffer = spare ?? Buffer.allocUnsafe(bufferBytes);
  spare = undefined;
  let filled = 0;

  function flush(): void {
    if (filled > 0) sink.write(buffer.subarray(0, filled));
    filled = 0;
  }

  return {
    write(bytes) {
      if (bytes.length > buffer.length - filled) flush();
      if (bytes.length > buffer.length) sink.write(bytes);
      else {
        buffer.set(bytes, filled);
        filled += bytes.length;
      }
    },
    writeZeros(count) {
      if (count > buffer.length - filled) flush();
      buffer.fill(0, filled, filled + count);
      filled += count;
    },
    writeFrom(descriptor, sizeBytes) {
      let left = sizeBytes;
      if (sink.writeFrom !== undefined && sizeBytes >= largeBytes) {
        flush();
        left -= sink.writeFrom(descriptor, sizeBytes);
      }
      while (left > 0) {
        if (filled === buffer.length) flush();
        const count = readSync(descriptor, buffer, filled, Math.min(left, buffer.length - filled), null);
        if (count === 0) return sizeBytes - left;
        filled += count;
        left -= count;
      }
      return sizeBytes;
    },
    end() {
      flush();
      spare = buffer;
    },
  };
}
