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

/** Less is copied sooner than what is held has gone ahead by itself. */
const largeBytes = 64 * 1024;

/** Of the last archive: to a small one memory of its own costs more, in collections, than all else. */
let spare: Buffer | undefined;

function takeSpare(): Buffer {
  const buffer = spare ?? Buffer.allocUnsafe(bufferBytes);
  spare = undefined;
  return buffer;
}

/** Gathers in the memory of the sink itself where that has some (`claim`). */
export function createGatheredSink(sink: ByteSink): GatheredSink {
  let own: Buffer | undefined;
  let buffer: Buffer = Buffer.alloc(0);
  let isClaimed = false;
  let filled = 0;

  function flush(): void {
    if (filled === 0) return;
    if (isClaimed) sink.commit?.(filled);
    else sink.write(buffer.subarray(0, filled));
    buffer = buffer.subarray(buffer.length);
    filled = 0;
  }

  /** Memory for the next bytes, in which nothing is held. */
  function renew(): void {
    flush();
    const claimed = sink.claim?.();
    isClaimed = claimed !== undefined;
    buffer = claimed ?? (own ??= takeSpare());
  }

  /** How much the sink moved by itself. */
  function sendLarge(descriptor: number, sizeBytes: number): number {
    if (sizeBytes < largeBytes || sink.send === undefined) return 0;
    flush();
    buffer = buffer.subarray(buffer.length);
    return sink.send(descriptor, sizeBytes);
  }

  return {
    write(bytes) {
      if (bytes.length > buffer.length - filled) renew();
      if (bytes.length > buffer.length) {
        buffer = buffer.subarray(buffer.length);
        sink.write(bytes);
      } else {
        buffer.set(bytes, filled);
        filled += bytes.length;
      }
    },
    writeZeros(count) {
      if (count > buffer.length - filled) renew();
      buffer.fill(0, filled, filled + count);
      filled += count;
    },
    writeFrom(descriptor, sizeBytes) {
      for (let left = sizeBytes - sendLarge(descriptor, sizeBytes); left > 0;) {
        if (filled === buffer.length) renew();
        const count = readSync(descriptor, buffer, filled, Math.min(left, buffer.length - filled), null);
        if (count === 0) return sizeBytes - left;
        filled += count;
        left -= count;
      }
      return sizeBytes;
    },
    end() {
      flush();
      spare = own ?? spare;
      own = undefined;
    },
  };
}
