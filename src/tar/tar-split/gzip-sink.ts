import { gzipSync } from "node:zlib";
import type { ByteSink } from "../block/byte-source.ts";

/** A sink that compresses. `finish` writes what is held back; whatever is behind it stays its owner's to end. */
export interface GzipSink extends ByteSink {
  finish(): void;
}

/** So much at once costs little compression, and is all the memory that it takes. */
const memberBytes = 1 << 20;
/** Takes half the time of zlib's own 6, and a sixth more room: headers are alike, and most of them is zeros. */
const level = 3;

/**
 * Compresses without an event loop, which on a worker belongs to nobody: as gzip members of a mebibyte, one after the
 * other, which every reader takes for one stream (RFC 1952, 2.2).
 */
export function createGzipSink(sink: ByteSink): GzipSink {
  const held = Buffer.allocUnsafe(memberBytes);
  let heldBytes = 0;
  let isEmpty = true;

  function flush(): void {
    sink.write(gzipSync(held.subarray(0, heldBytes), { level }));
    heldBytes = 0;
    isEmpty = false;
  }

  return {
    write(bytes) {
      for (let at = 0; at < bytes.length;) {
        const count = Math.min(bytes.length - at, memberBytes - heldBytes);
        held.set(bytes.subarray(at, at + count), heldBytes);
        heldBytes += count;
        at += count;
        if (heldBytes === memberBytes) flush();
      }
    },
    finish() {
      if (heldBytes > 0 || isEmpty) flush();
    },
  };
}
