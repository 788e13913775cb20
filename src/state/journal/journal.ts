/**
 * Changes on disk: one file, `records`, in which every line is a checksum and JSON.
 *
 *     9c1f33a0 {"format":"cleat-snapshots","version":1,"seq":41,"lines":2}      the header
 *     51e2cc07 {"seq":41,"changes":[{"put":[…]}]}                              what was, in `lines` lines
 *     d07a91be {"seq":41,"changes":[{"put":[…],"nextId":201}]}
 *     77b1d3f2 {"seq":42,"changes":[{"put":[{"id":7,…}]},{"remove":[3]}]}      what has changed since
 *
 * A line behind those of the header is a batch: changes that came together, made durable together by one write that
 * flushes (`O_DSYNC`). The next is not written before that has returned, so that after a crash the last line alone may
 * be torn, and none of its changes was acknowledged: it is cut off. A line that is damaged elsewhere means that
 * something acknowledged is lost; the file is refused then, and left as it is. Zeros behind the last line may be room
 * that was written ahead (`prefilled-file.ts`).
 *
 * When the changes have become longer than what they changed, all is written anew to `records.new`, made durable,
 * renamed.
 *
 * This and no embedded store, because it is all that is needed: everything is in memory anyway, nothing is ever
 * searched on disk, one write and one flush is what any store would do at least, and a person can read the file.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError, isDiskFull, isSystemError, toCleatError } from "../../errors/index.ts";
import type { JournalFile, JournalFiles } from "./journal-files.ts";
import { type OfferedAppend, toOfferedAppend } from "./offered-append.ts";
import {
  fileName,
  formatLine,
  formatVersion,
  type JournalFormat,
  type JournalHeader,
  readJournal,
  type ReadResult,
} from "./read-journal.ts";
import { createRoom } from "./room.ts";

export interface Journal<Change> {
  /**
   * Resolves when the changes are durable. Not called again before it has settled. Those that make room may take what
   * is set aside for them, so that there is room for them on a full disk.
   */
  append(changes: readonly Change[], options?: { readonly makesRoom: boolean }): Promise<void>;
  /**
   * Offers the same to another thread. Undefined where more is to be done than to write, or cannot be. Nothing else is
   * called before the offer is withdrawn, or has settled.
   * @throws UNAVAILABLE when the disk has failed before: what the changes are about would be made for nothing.
   */
  offer(changes: readonly Change[]): OfferedAppend | undefined;
  /** The disk has failed: what was refused last may be found there when it is opened again. */
  readonly isBroken: boolean;
  /** Whether it is time for `rewrite`. */
  readonly isLong: boolean;
  /** Replaces all that was written by what there is, a line for each change. As `append`, not while another runs. */
  rewrite(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedJournal<Change> {
  readonly journal: Journal<Change>;
  /** Bytes of a last line that was torn, and cut off. */
  readonly tornBytes: number;
}

export interface OpenJournalOptions<Change> {
  readonly files: JournalFiles;
  readonly format: JournalFormat<Change>;
  /** What a new journal begins with; why there may be no new one is for it to throw. */
  begin(): readonly Change[];
  /** Told of everything that happened, in order. */
  onChange(change: Change): void;
  /**
   * Called when that was all, up to number `seq`, and nothing has been written yet: what it throws refuses the journal.
   */
  onRead?(seq: number): void | Promise<void>;
  /** Told of each number up to which everything is durable. */
  onDurable?(seq: number): void;
  /** Whether zeros behind the last line may be room that was written ahead; else they are what is left of a line. */
  readonly mayHaveRoom?: boolean;
}

const stagedName = "records.new";

/** Below that, writing anew would not pay. */
const minRewriteBytes = 1024 * 1024;
/** Node reads no file of 2 GiB in one piece; what there is has to take less than half of that. */
const maxFileBytes = 1536 * 1024 * 1024;

/**
 * Reads the journal, and makes one where there is none.
 * @throws DATA_LOSS when it is damaged, FAILED_PRECONDITION when a later version has written it, and what `onRead`
 *   throws: it is left alone.
 */
export async function openJournal<Change>(options: OpenJournalOptions<Change>): Promise<OpenedJournal<Change>> {
  const { files, format, begin, onChange, onRead, mayHaveRoom = false } = options;
  const found = (await files.read(fileName)) ?? Buffer.alloc(0);
  const content = mayHaveRoom ? withoutZeros(found) : found;
  const first = found.length === 0 ? begin() : undefined;
  const read = readJournal(content, format, onChange);
  await onRead?.(read.seq);
  const journal = createJournal(options, read);
  try {
    if (first !== undefined) await journal.rewrite(first);
    else await journal.open();
    options.onDurable?.(read.seq);
  } catch (error) {
    await journal.close();
    throw error;
  }
  return { journal, tornBytes: content.length - read.goodBytes };
}

/** No line holds a zero. What is nothing else has no header, and is no journal that was ever acknowledged. */
function withoutZeros(content: Buffer): Buffer {
  return content.subarray(0, content.findLastIndex((byte) => byte !== 0) + 1 || content.length);
}

function createJournal<Change>(
  { files, format, onDurable = () => {} }: Pick<OpenJournalOptions<Change>, "files" | "format" | "onDurable">,
  read: ReadResult,
): Journal<Change> & { open(): Promise<void> } {
  const { subject, toStored } = format;
  let { goodBytes: lengthBytes, checkpointBytes, seq } = read;
  let file: JournalFile | undefined;
  let broken: CleatError | undefined;
  let rewriteAtBytes = 0;
  const room = createRoom(subject);

  /** After a failed flush nobody can say what is on the disk: the kernel reports it once and takes it for done. */
  const breakDown = (error: unknown): CleatError => (broken ??= toBroken(error, subject));
  const opened = (): JournalFile => {
    if (broken !== undefined) throw broken;
    if (file === undefined) throw new CleatError("FAILED_PRECONDITION", `${subject} are closed`);
    return file;
  };
  /** Rejects with why the next line is not there. */
  const failToAppend = async (to: JournalFile, error: unknown): Promise<never> => {
    if (!mayBeTakenBack(error)) throw breakDown(error);
    room.isGone();
    try {
      await to.truncate(lengthBytes);
      await to.sync();
    } catch {
      throw breakDown(error);
    }
    throw toCleatError(error, subject);
  };
  const appended = (length: number) => {
    seq++;
    lengthBytes += length;
    onDurable(seq);
  };
  /** And not after each change. */
  const notAtOnceAgain = () => void (rewriteAtBytes = lengthBytes + minRewriteBytes);
  const isLong = () => lengthBytes >= rewriteAtBytes && isMostlyChanges(lengthBytes, checkpointBytes);
  const formatNext = (changes: readonly Change[]) => formatLine({ seq: seq + 1, changes: changes.map(toStored) });

  return {
    async open() {
      file = await files.open(fileName, lengthBytes);
      await files.remove(stagedName);
    },
    async append(changes, { makesRoom } = { makesRoom: false }) {
      const to = opened();
      const bytes = formatNext(changes);
      await room.setAside(to, lengthBytes + bytes.length, makesRoom);
      await to.appendDurably(bytes).catch((error: unknown) => failToAppend(to, error));
      appended(bytes.length);
    },
    offer(changes) {
      if (broken !== undefined) throw broken;
      const to = file;
      if (to?.offer === undefined || isLong()) return undefined;
      const bytes = formatNext(changes);
      if (!room.has(lengthBytes + bytes.length)) return undefined;
      return toOfferedAppend(to, to.offer(bytes), appended, failToAppend);
    },
    get isBroken() {
      return broken !== undefined;
    },
    get isLong() {
      return isLong();
    },
    async rewrite(changes) {
      if (broken !== undefined) throw broken;
      const { staged, written } = await writeAnew(files, format, seq, changes).catch((error: unknown) => {
        notAtOnceAgain();
        throw error;
      });
      try {
        await files.rename(stagedName, fileName);
      } catch (error) {
        notAtOnceAgain();
        // It may be done all the same, as NFS has it of one whose answer was lost; what is in place then is not `file`.
        const failure = isDiskFull(error) ? error : breakDown(error);
        await staged.close().catch(() => {}); // nothing of it counts
        throw failure;
      }
      const before = file;
      file = staged;
      lengthBytes = checkpointBytes = written;
      room.isGone();
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
      await Promise.resolve(last?.close()).finally(() => files.close());
    },
  };
}

function toBroken(error: unknown, subject: string): CleatError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${subject} cannot be written any more, until they are opened again: ${reason}`;
  return new CleatError("UNAVAILABLE", message, { cause: error });
}

function isMostlyChanges(lengthBytes: number, checkpointBytes: number): boolean {
  const allowedBytes = Math.min(2 * checkpointBytes, maxFileBytes - checkpointBytes);
  return lengthBytes - checkpointBytes > Math.max(minRewriteBytes, allowedBytes);
}

/** The kernel said of it that it could not be written, or nothing yet. */
function mayBeTakenBack(error: unknown): boolean {
  // The second is a limit on the length of files, of the process's.
  return isDiskFull(error) || isSystemError(error, "EFBIG") || error instanceof CleatError;
}

/** Writes all that there is to say into a file beside the journal, durably. */
async function writeAnew<Change>(
  files: JournalFiles,
  { name, toStored }: JournalFormat<Change>,
  seq: number,
  changes: readonly Change[],
): Promise<{ readonly staged: JournalFile; readonly written: number }> {
  const staged = await files.open(stagedName, 0);
  let written = 0;
  const write = async (value: object) => {
    const bytes = formatLine(value);
    await staged.append(bytes);
    written += bytes.length;
  };
  try {
    await write({ format: name, version: formatVersion, seq, lines: changes.length } satisfies JournalHeader);
    for (const change of changes) {
      await write({ seq, changes: [toStored(change)] });
      await nextTurn();
    }
    await staged.sync();
  } catch (error) {
    await staged.close().catch(() => {});
    throw error;
  }
  return { staged, written };
}
