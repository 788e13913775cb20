import type { ArchiveInput } from "../block/archive-input.ts";

/** An input that tells `consumed` of all bytes that are taken from it, skipped ones too, before the taker sees them. */
export function createRecordingInput(input: ArchiveInput, consumed: (bytes: Uint8Array) => void): ArchiveInput {
  function readView(maxBytes: number): Uint8Array | undefined {
    const view = input.readView(maxBytes);
    if (view !== undefined) consumed(view);
    return view;
  }

  return {
    get offset() {
      return input.offset;
    },
    readInto(target) {
      const got = input.readInto(target);
      consumed(target.subarray(0, got));
      return got;
    },
    readView,
    skip(count) {
      let skipped = 0;
      while (skipped < count) {
        const view = readView(count - skipped);
        if (view === undefined) break;
        skipped += view.length;
      }
      return skipped;
    },
  };
}
