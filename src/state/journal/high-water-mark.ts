import { constants, type FileHandle, open } from "node:fs/promises";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { CleatError, isDiskFull, isSystemError } from "../../errors/index.ts";
import { parseVersioned } from "./parse-versioned.ts";

/**
 * How far a journal has come, kept outside of it: so that an older one, which a backup has brought back in its place
 * alone, is told from one that ends where a crash has ended it.
 *
 * It is written behind each change that is durable, in place, and never flushed: after a power loss it may tell less
 * than the journal holds, and never more, so that none that is whole is taken for older. What it tells is the older
 * copy: up to the last change where the process was killed, or the last but those of `everyMs`, and of the last half
 * minute or so before a power loss not surely.
 */
export interface HighWaterMark {
  /** The number of a change that was durable; 0 where none is known. */
  readonly seq: number;
  /** Where it is kept, for people. */
  readonly path: string;
  /** The journal that it was of is no more; durable when it resolves. */
  forget(): Promise<void>;
  /** All up to that one is durable. Waits for nothing. */
  note(seq: number): void;
  close(): Promise<void>;
}

/** Told of what keeps a mark from telling all: no reason to refuse anything. */
export type WarnOfMark = (error: unknown, path: string, message: string) => void;

export interface HighWaterMarkOptions {
  /**
   * How long it is not written anew, for changes that follow one another: the write takes as long as a tenth of what
   * such a change costs at all. The first after a while is noted at once, whatever this is. Default 0.
   */
  readonly everyMs?: number;
}

const version = 1;
const storedMark = z.strictObject({ version: z.literal(version), seq: z.int().nonnegative() });
/** Of the whole file, always: within one sector, which a disk writes as one. */
const lengthBytes = 64;

/**
 * Makes the file where there is none; on a full disk it goes without.
 * @throws FAILED_PRECONDITION when a later version has written it; what the disk says that does not give it.
 */
export async function openHighWaterMark(
  path: string,
  warn: WarnOfMark,
  { everyMs = 0 }: HighWaterMarkOptions = {},
): Promise<HighWaterMark> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  let file: FileHandle;
  try {
    file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    warn(error, path, "how far the records have come is not kept until they are opened again");
    return stillMark(path, 0);
  }
  try {
    return createMark(file, path, await readMark(file, path, warn), warn, everyMs);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * As `openHighWaterMark`, for who only looks: notes nothing, and tells 0 where there is none, or it cannot be read.
 * @throws FAILED_PRECONDITION when a later version has written it; what the disk says that does not give it.
 */
export async function readHighWaterMark(path: string): Promise<HighWaterMark> {
  const { O_RDONLY, O_NOFOLLOW } = constants;
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW);
    return stillMark(path, await readMark(file, path, () => {}));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return stillMark(path, 0);
    throw error;
  }
}

function stillMark(path: string, seq: number): HighWaterMark {
  return { seq, path, forget: async () => {}, note() {}, close: async () => {} };
}

async function readMark(file: FileHandle, path: string, warn: WarnOfMark): Promise<number> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, 0);
  const text = buffer.toString("latin1", 0, bytesRead).trim();
  if (text === "") return 0;
  try {
    return parseVersioned(text, storedMark, path).seq;
  } catch (error) {
    if (error instanceof CleatError) throw error;
    // Torn, or written by hand.
    warn(error, path, "how far the records had come cannot be read; it is taken from them");
    return 0;
  }
}

function createMark(file: FileHandle, path: string, seq: number, warn: WarnOfMark, everyMs: number): HighWaterMark {
  let wanted = seq;
  let written = seq;
  let writing: Promise<void> | undefined;
  let writtenMs = Number.NEGATIVE_INFINITY;
  let isTold = false;
  const write = async (value: number) => {
    const text = JSON.stringify({ version, seq: value } satisfies z.input<typeof storedMark>);
    await file.write(`${text.padEnd(lengthBytes - 1)}\n`, 0, "latin1");
    written = value;
    writtenMs = performance.now();
  };
  const writeWanted = async () => {
    try {
      while (written !== wanted) {
        const waitMs = writtenMs + everyMs - performance.now();
        // Whoever waits for the change has its answer first.
        await (waitMs > 0 ? pause(waitMs) : nextTurn());
        await write(wanted);
      }
    } catch (error) {
      // It tells less than it might, and nothing wrong.
      if (!isTold) warn(error, path, "how far the records have come could not be kept");
      isTold = true;
    } finally {
      writing = undefined;
    }
  };
  return {
    seq,
    path,
    async forget() {
      if (written === 0) return;
      await write(0);
      wanted = 0;
      await file.datasync();
    },
    note(value) {
      wanted = value;
      if (written !== wanted) writing ??= writeWanted();
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}
