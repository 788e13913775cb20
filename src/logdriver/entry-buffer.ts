import type { LogEntry } from "./driver.ts";

/** Which entries are lost when there are more than are kept: those that came first, or those that come now. */
export type DropPolicy = "oldest" | "newest";

export interface EntryBufferOptions {
  /** How much is kept, as `sizeOf` counts. */
  readonly maxBytes: number;
  readonly drop: DropPolicy;
}

/** What has been read and not yet written, within bounds. */
export interface EntryBuffer {
  push(entries: readonly LogEntry[]): void;
  /** Everything that is there, and how many entries were dropped since the call before. */
  take(): { readonly entries: LogEntry[]; readonly dropped: number };
  readonly length: number;
  /** Since `take`. */
  readonly dropped: number;
  readonly sizeBytes: number;
}

/** What an entry costs besides its line: objects, and the buffer around the bytes. About 250 on Node 20. */
const entryBytes = 256;

export function createEntryBuffer({ maxBytes, drop }: EntryBufferOptions): EntryBuffer {
  let entries: LogEntry[] = [];
  let first = 0;
  let sizeBytes = 0;
  let dropped = 0;

  const dropOldest = () => {
    while (sizeBytes > maxBytes && first < entries.length) {
      sizeBytes -= sizeOf(entries[first++] as LogEntry);
      dropped++;
    }
    if (first * 2 < entries.length) return;
    entries = entries.slice(first);
    first = 0;
  };

  return {
    push(added) {
      for (const entry of added) {
        const size = sizeOf(entry);
        // One that is too long for the buffer would have taken all others with it.
        if (size > maxBytes || (drop === "newest" && sizeBytes + size > maxBytes)) {
          dropped++;
          continue;
        }
        entries.push(entry);
        sizeBytes += size;
      }
      if (sizeBytes > maxBytes) dropOldest();
    },
    take() {
      const taken = { entries: entries.slice(first), dropped };
      [entries, first, sizeBytes, dropped] = [[], 0, 0, 0];
      return taken;
    },
    get length() {
      return entries.length - first;
    },
    get dropped() {
      return dropped;
    },
    get sizeBytes() {
      return sizeBytes;
    },
  };
}

function sizeOf({ line }: LogEntry): number {
  return entryBytes + line.byteLength;
}
