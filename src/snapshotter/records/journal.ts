/**
 * The records of snapshots on disk: one file, `records`, in which every line is a checksum and JSON.
 *
 *     9c1f33a0 {"format":"cleat-snapshots","version":1,"seq":41,"lines":2}      the header
 *     51e2cc07 {"seq":41,"changes":[{"put":[…]}]}                              what was, in `lines` lines
 *     d07a91be {"seq":41,"changes":[{"put":[…],"nextId":201}]}
 *     77b1d3f2 {"seq":42,"changes":[{"put":[{"id":7,…}]},{"remove":[3]}]}      what has changed since
 *
 * A line behind those of the header is a batch: changes that came together, made durable together by one write that
 * flushes (`O_DSYNC`). The next is not written before that has returned, so that after a crash the last line alone may be
 * torn, and none of its changes was acknowledged: it is cut off. A line that is damaged elsewhere means that something
 * acknowledged is lost; the file is refused then, and left as it is.
 *
 * When the changes have become longer than what they changed, all is written anew to `records.new`, made durable, renamed.
 *
 * This and no embedded store, because it is all that is needed: everything is in memory anyway, nothing is ever searched
 * on disk, one write and one flush is what any store would do at least, and a person can read the file.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { CleatError, isDiskFull, isSystemError, toCleatError } from "../../errors/index.ts";
import { fromStored, storedChanges, toStored } from "./encode-change.ts";
import type { Change, SnapshotRecord } from "./record.ts";
import type { RecordFile, RecordFiles } from "./record-files.ts";

export interface Journal {
  /** Resolves when the changes are durable. Not called again before it has settled. */
  append(changes: readonly Change[]): Promise<void>;
  /** The disk has failed: what was refused last may be found there when it is opened again. */
  readonly isBroken: boolean;
  /** Whether it is time for `rewrite`. */
  readonly isLong: boolean;
  /** Replaces all that was written by what there is, parents before children. As `append`, not while another runs. */
  rewrite(records: readonly SnapshotRecord[], nextId: number): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** Bytes of a last line that was torn, and cut off. */
  readonly tornBytes: number;
}

const fileName = "records";
const stagedName = "records.new";
const formatName = "cleat-snapshots";

const header = z.strictObject({
  format: z.literal(formatName),
  version: z.int(),
  seq: z.int().nonnegative(),
  lines: z.int().nonnegative(),
});

/** Below that, writing anew would not pay. */
const minRewriteBytes = 1024 * 1024;
/** Node reads no file of 2 GiB in one piece; what there is takes less than half of that, however it is escaped. */
const maxFileBytes = 1536 * 1024 * 1024;
/** How many records one line of a rewritten file holds, and one turn of the event loop encodes. */
const recordsPerLine = 200;

/**
 * Reads the journal, telling `onChange` everything that happened, in order; makes one where there is none and `mayBegin`.
 * @throws DATA_LOSS when it is damaged, and FAILED_PRECONDITION when a later version has written it: it is left alone.
 * @throws FAILED_PRECONDITION when there is none and there should be.
 */
export async function openJournal(
  files: RecordFiles,
  mayBegin: boolean,
  onChange: (change: Change) => void,
): Promise<OpenedJournal> {
  const content = (await files.read(fileName)) ?? Buffer.alloc(0);
  if (content.length === 0 && !mayBegin) {
    throw new CleatError("FAILED_PRECONDITION", "snapshots are there whose records are not; nothing was changed");
  }
  const read = readLines(content, onChange);
  const journal = createJournal(files, read);
  if (content.length === 0) await journal.rewrite([], 1);
  else await journal.open();
  return { journal, tornBytes: content.length - read.goodBytes };
}

interface ReadResult {
  readonly goodBytes: number;
  readonly checkpointBytes: number;
  readonly seq: number;
}

function readLines(content: Buffer, onChange: (change: Change) => void): ReadResult {
  let goodBytes = 0;
  let checkpointBytes = 0;
  let seq = 0;
  let checkpointLines = 0;
  for (let line = 0; goodBytes < content.length; line++) {
    const newline = content.indexOf(0x0a, goodBytes);
    const end = newline < 0 ? content.length : newline + 1;
    const value = newline < 0 ? undefined : readLine(content.subarray(goodBytes, newline));
    if (value === undefined) {
      // Only a batch may be torn, and only the last: what stands before was durable before it was begun.
      const isTorn = line > checkpointLines && line > 0 && !holdsLine(content.subarray(end));
      if (isTorn) break;
      throw damaged(line, goodBytes, "its checksum is wrong");
    }
    if (line === 0) {
      const known = readHeader(value);
      seq = known.seq;
      checkpointLines = known.lines;
    } else {
      const isBatch = line > checkpointLines;
      seq = readBatch(value, isBatch ? seq + 1 : seq, line, goodBytes, onChange);
    }
    goodBytes = end;
    if (line === checkpointLines) checkpointBytes = goodBytes;
  }
  if (content.length > 0 && checkpointBytes === 0) throw damaged(checkpointLines, goodBytes, "it ends too early");
  return { goodBytes, checkpointBytes, seq };
}

function readHeader(value: unknown): z.output<typeof header> {
  const known = header.safeParse(value);
  if (!known.success) throw damaged(0, 0, "it is no header");
  if (known.data.version === 1) return known.data;
  const message = `records of snapshots are of version ${known.data.version}, which a later Cleat has written`;
  throw new CleatError("FAILED_PRECONDITION", message);
}

function readBatch(value: unknown, seq: number, line: number, at: number, onChange: (change: Change) => void): number {
  const batch = storedChanges.safeParse(value);
  if (!batch.success) throw damaged(line, at, "it is no change");
  if (batch.data.seq !== seq) throw damaged(line, at, `it is number ${batch.data.seq} instead of ${seq}`);
  for (const change of batch.data.changes) onChange(fromStored(change));
  return seq;
}

/** `undefined` where the checksum is not that of the text. */
function readLine(line: Buffer): unknown {
  if (line[checksumLength] !== 0x20) return undefined;
  const text = line.subarray(checksumLength + 1);
  if (line.toString("latin1", 0, checksumLength) !== checksum(text)) return undefined;
  try {
    return JSON.parse(text.toString()) as unknown;
  } catch {
    return undefined; // somebody has written a line by hand
  }
}

function holdsLine(content: Buffer): boolean {
  for (let at = 0; at < content.length;) {
    const newline = content.indexOf(0x0a, at);
    if (newline < 0) return false;
    if (readLine(content.subarray(at, newline)) !== undefined) return true;
    at = newline + 1;
  }
  return false;
}

const checksumLength = 8;

function checksum(text: Uint8Array): string {
  return crc32(text).toString(16).padStart(checksumLength, "0");
}

function formatLine(value: object): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`${checksum(text)} `), text, Buffer.from("\n")]);
}

function damaged(line: number, at: number, problem: string): CleatError {
  const message =
    `records of snapshots are damaged: line ${line + 1} of "${fileName}", at byte ${at}: ${problem}. ` +
    "The file was left as it is; what stands in it may be read by people, each line by itself";
  return new CleatError("DATA_LOSS", message);
}

function createJournal(files: RecordFiles, read: ReadResult): Journal & { open(): Promise<void> } {
  let { goodBytes: lengthBytes, checkpointBytes, seq } = read;
  let file: RecordFile | undefined;
  let broken: CleatError | undefined;
  let rewriteAtBytes = 0;

  /** After a failed flush nobody can say what is on the disk: the kernel reports it once and takes it for done. */
  const breakDown = (error: unknown): CleatError => {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `records of snapshots cannot be written any more, until they are opened again: ${reason}`;
    return (broken ??= new CleatError("UNAVAILABLE", message, { cause: error }));
  };
  const opened = (): RecordFile => {
    if (broken !== undefined) throw broken;
    if (file === undefined) throw new CleatError("FAILED_PRECONDITION", "records of snapshots are closed");
    return file;
  };
  const takeBack = async (to: RecordFile, cause: unknown) => {
    try {
      await to.truncate(lengthBytes);
      await to.sync();
    } catch {
      throw breakDown(cause);
    }
  };

  return {
    async open() {
      file = await files.open(fileName, lengthBytes);
      await files.remove(stagedName);
    },
    async append(changes) {
      const to = opened();
      const bytes = formatLine({ seq: seq + 1, changes: changes.map(toStored) });
      try {
        await to.appendDurably(bytes);
      } catch (error) {
        const hasNoRoom = isDiskFull(error) || isSystemError(error, "EFBIG"); // a limit on the length of files, of the process's
        if (!hasNoRoom) throw breakDown(error);
        await takeBack(to, error); // which writes the end of the file anew, whatever had become of it
        throw toCleatError(error, "records of snapshots");
      }
      seq++;
      lengthBytes += bytes.length;
    },
    get isBroken() {
      return broken !== undefined;
    },
    get isLong() {
      const changesBytes = lengthBytes - checkpointBytes;
      const allowedBytes = Math.min(2 * checkpointBytes, maxFileBytes - checkpointBytes);
      return changesBytes > Math.max(minRewriteBytes, allowedBytes) && lengthBytes >= rewriteAtBytes;
    },
    async rewrite(records, nextId) {
      if (broken !== undefined) throw broken;
      const lines = Math.max(1, Math.ceil(records.length / recordsPerLine));
      const staged = await files.open(stagedName, 0);
      let written = 0;
      const write = async (value: object) => {
        const bytes = formatLine(value);
        await staged.append(bytes);
        written += bytes.length;
      };
      try {
        await write({ format: formatName, version: 1, seq, lines } satisfies z.input<typeof header>);
        for (let line = 0; line < lines; line++) {
          const put = records.slice(line * recordsPerLine, (line + 1) * recordsPerLine);
          await write({ seq, changes: [toStored({ put, ...(line === lines - 1 && { nextId }) })] });
          await nextTurn();
        }
        await staged.sync();
        await files.rename(stagedName, fileName);
      } catch (error) {
        rewriteAtBytes = lengthBytes + minRewriteBytes; // and not after each change
        await staged.close();
        throw error;
      }
      const before = file;
      file = staged;
      lengthBytes = checkpointBytes = written;
      try {
        await before?.close();
        await files.syncFolder();
      } catch (error) {
        // Which of the two files a crash would leave is unknown, so nothing may be acknowledged in either.
        throw breakDown(error);
      }
    },
    async close() {
      const last = file;
      file = undefined;
      await last?.close();
    },
  };
}
