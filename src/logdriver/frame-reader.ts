import type { LogEntry } from "./driver.ts";
import { decodeEntry, lengthBytes } from "./entry-codec.ts";

/**
 * The longest message that is taken for one. Docker cuts lines at 16 KiB (moby v20.10.24 `daemon/logger/copier.go`,
 * `defaultBufSize`), and lets drivers ask for no more than this.
 */
export const defaultMaxFrameBytes = 1024 * 1024;

export interface FrameReader {
  /** What has become whole. Never throws: what makes no sense is skipped and counted. */
  push(chunk: Uint8Array): LogEntry[];
  /** Nothing more comes: an unfinished frame counts as skipped. */
  end(): void;
  /** The beginning of a frame, for the reader that goes on. */
  readonly unfinished: Uint8Array;
  /** Bytes that belonged to no entry. */
  readonly skippedBytes: number;
}

/**
 * Takes frames out of a stream of bytes, in chunks of any size. Keeps no more than one unfinished frame.
 *
 * A stream may begin in the middle of a frame, where a process before this one was killed while it read, and end in
 * one. Frames have no mark; but each message of an engine begins with its source, so that after bytes that cannot be a
 * frame the next one is found where a plausible length stands before `stdout` or `stderr` and the message decodes. A
 * frame that was torn by its writer may pass with bytes of the next one in its line; pipes do not do that to frames.
 */
export function createFrameReader(maxFrameBytes: number = defaultMaxFrameBytes): FrameReader {
  let rest: Buffer = Buffer.alloc(0);
  let skippedBytes = 0;
  /** Whether `rest` begins where a frame does, as far as is known. */
  let inStep = true;

  const skip = (count: number) => {
    skippedBytes += count;
    rest = rest.subarray(count);
  };

  /** `undefined` where more bytes are needed. */
  const takeFrame = (): LogEntry | undefined => {
    while (rest.byteLength >= lengthBytes) {
      if (!inStep) {
        const at = findFrame(rest, maxFrameBytes);
        skip(at.offset);
        if (!at.found) return undefined;
        inStep = true;
      }
      const size = rest.readUInt32BE();
      if (size <= maxFrameBytes) {
        if (!mayBegin(rest)) {
          inStep = false;
          skip(1);
          continue;
        }
        if (rest.byteLength < lengthBytes + size) return undefined;
        const entry = decodeOrNothing(rest.subarray(lengthBytes, lengthBytes + size));
        if (entry !== undefined) {
          rest = rest.subarray(lengthBytes + size);
          return entry;
        }
      }
      inStep = false;
      skip(1);
    }
    return undefined;
  };

  return {
    push(chunk) {
      rest = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      const entries: LogEntry[] = [];
      for (let entry = takeFrame(); entry !== undefined; entry = takeFrame()) entries.push(entry);
      return entries;
    },
    end() {
      skip(rest.byteLength);
    },
    get unfinished() {
      return rest;
    },
    get skippedBytes() {
      return skippedBytes;
    },
  };
}

/** What each message of Docker's begins with: field 1, its length, and the source. */
const beginnings = ["stdout", "stderr"].map((source) => Buffer.from(`\n\x06${source}`));
const beginningBytes = 8;
const [sourceTag, maxSourceBytes] = [0x0a, 32];

/** Whether what stands there may be a frame, as far as it is there; an empty message is no entry of an engine's. */
function mayBegin(bytes: Buffer): boolean {
  const [tag = sourceTag, sourceBytes = 1] = bytes.subarray(lengthBytes);
  return bytes.readUInt32BE() > 1 && tag === sourceTag && sourceBytes >= 1 && sourceBytes <= maxSourceBytes;
}

/** Where the next frame may begin; where none does, how much cannot be the beginning of one. */
function findFrame(bytes: Buffer, maxFrameBytes: number): { readonly found: boolean; readonly offset: number } {
  for (let from = 0; ;) {
    const at = indexOfBeginning(bytes, from);
    if (at < 0) break;
    const offset = at - lengthBytes;
    if (offset >= 0 && bytes.readUInt32BE(offset) <= maxFrameBytes && mayBegin(bytes.subarray(offset))) {
      return { found: true, offset };
    }
    from = at + 1;
  }
  return { found: false, offset: Math.max(0, bytes.byteLength - (lengthBytes + beginningBytes - 1)) };
}

function indexOfBeginning(bytes: Buffer, from: number): number {
  const found = beginnings.map((beginning) => bytes.indexOf(beginning, from)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

function decodeOrNothing(message: Uint8Array): LogEntry | undefined {
  try {
    return decodeEntry(message);
  } catch {
    return undefined; // no message: counted, and looked for behind it
  }
}
