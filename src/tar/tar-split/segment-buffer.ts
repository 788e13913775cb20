/** Gathers bytes into segments. */
export interface SegmentBuffer {
  /** Copies the bytes. */
  write(bytes: Uint8Array): void;
  /** Hands on what was gathered, if anything was. */
  flush(): void;
}

/**
 * One header with the largest PAX records that are read fits; what is longer (the content of a sparse file, padding)
 * becomes several segments, so that memory does not grow with it.
 */
const maxSegmentBytes = 1 << 20;
const firstBytes = 16 * 1024;

/** `emit` is given a view that is valid until it returns. */
export function createSegmentBuffer(emit: (bytes: Uint8Array) => void): SegmentBuffer {
  let held = new Uint8Array(firstBytes);
  let heldBytes = 0;

  function flush(): void {
    if (heldBytes > 0) emit(held.subarray(0, heldBytes));
    heldBytes = 0;
  }

  function makeRoom(wanted: number): void {
    if (heldBytes === maxSegmentBytes) flush();
    if (heldBytes + wanted <= held.length || held.length === maxSegmentBytes) return;
    const grown = new Uint8Array(Math.min(maxSegmentBytes, Math.max(2 * held.length, heldBytes + wanted)));
    grown.set(held.subarray(0, heldBytes));
    held = grown;
  }

  return {
    write(bytes) {
      for (let at = 0; at < bytes.length;) {
        makeRoom(bytes.length - at);
        const count = Math.min(bytes.length - at, held.length - heldBytes);
        held.set(bytes.subarray(at, at + count), heldBytes);
        heldBytes += count;
        at += count;
      }
    },
    flush,
  };
}
