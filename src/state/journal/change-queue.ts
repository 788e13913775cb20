import type { OfferedWrite } from "../../syscall/index.ts";
import { createChangeAlong } from "./change-along.ts";
import type { OpenedJournal } from "./journal.ts";

/** What the changes of a journal are made to, in memory. */
export interface ChangeTarget<Change> {
  /** Makes a change and returns one that takes it back, as long as nothing else has changed since. May throw. */
  apply(change: Change): () => void;
  /** The change is durable. */
  keep(change: Change): void;
  /** All that was kept, as changes of a moderate line each. */
  checkpoint(): readonly Change[];
  /** What a change takes of a line, roughly, in bytes. */
  lengthOf(change: Change): number;
  /** Whether it only takes something away, which is to succeed on a full disk. */
  makesRoom(change: Change): boolean;
}

/**
 * Changes that are made in memory at once, so that the next one builds on them, and acknowledged when they are on disk.
 * Those that come while one is being written are written together: a thousand at once cost two or three flushes.
 */
export interface ChangeQueue<Change> {
  /**
   * Makes a change. Resolves when it is durable. When it rejects, it was taken back, with those that came after it.
   * @throws RESOURCE_EXHAUSTED when the disk is full, UNAVAILABLE when it has failed before.
   */
  change(change: Change): Promise<void>;
  /**
   * Makes a change that nobody waits for: it is written along with the next one, or within a second or so. What is lost
   * of it by a crash, or by a full disk, must be such as can be found again.
   */
  changeBehind(change: Change): void;
  /**
   * Has `work` make what has to be there before the change, which its thread may then write as well, where it is
   * offered. Resolves to whether the change is made, and durable; else `change` is for the caller to call. Nobody waits
   * meanwhile: the offer is withdrawn for whoever comes first. Nobody else may change what the change is about.
   * @throws what `work` does, and what `change` does.
   */
  changeAlong(change: Change, work: (offered: OfferedWrite | undefined) => Promise<void>): Promise<boolean>;
  /** Resolves when all that was asked for until now is durable, or was taken back. */
  settled(): Promise<void>;
  /** Whether changes wait to be written. */
  readonly isWaiting: boolean;
  /** Bytes of a torn last line that were cut off when the journal was opened. */
  readonly tornBytes: number;
  /** The disk has failed: a change that was refused may be there after all when it is opened again. */
  readonly isBroken: boolean;
  /** Writes what waits, `last` behind it, and closes the journal. No other change may be asked for any more. */
  close(last?: Change): Promise<void>;
}

/** How long a change that nobody waits for may wait for one that somebody does. */
const behindMs = 1_000;
/** What one line of the journal may hold, roughly: it is one text in memory. */
const maxBatchLength = 4 * 1024 * 1024;

interface Pending<Change> {
  readonly change: Change;
  undo(): void;
  resolve(): void;
  reject(error: unknown): void;
}

export function createChangeQueue<Change>(
  { journal, tornBytes }: OpenedJournal<Change>,
  target: ChangeTarget<Change>,
): ChangeQueue<Change> {
  const pending: Pending<Change>[] = [];
  let writing: Promise<void> | undefined;
  let writingBehind: NodeJS.Timeout | undefined;
  /** They settle in their order. */
  let newest: Promise<unknown> = Promise.resolve();
  const along = createChangeAlong(journal, target, () => writing === undefined && pending.length === 0);

  const enqueue = (wanted: Change): Promise<void> => {
    const settled = new Promise<void>((resolve, reject) => {
      pending.push({ change: wanted, undo: target.apply(wanted), resolve, reject });
    });
    newest = settled.catch(() => {}); // its own caller is told
    return settled;
  };
  const takeBack = (changes: readonly Pending<Change>[], error: unknown) => {
    for (const { undo } of changes.toReversed()) undo();
    for (const { reject } of changes) reject(error);
  };
  /** How many of the changes that wait go into one line: one at least. */
  const countOfBatch = (): number => {
    let length = 0;
    const end = pending.findIndex(({ change }) => (length += target.lengthOf(change)) > maxBatchLength);
    return end < 0 ? pending.length : Math.max(1, end);
  };
  const writeAll = async () => {
    clearTimeout(writingBehind);
    writingBehind = undefined;
    await Promise.resolve(); // for what comes in the same turn
    await along.withdraw();
    while (pending.length > 0) {
      const batch = pending.splice(0, countOfBatch());
      try {
        const changes = batch.map((one) => one.change);
        await journal.append(changes, { makesRoom: changes.every((one) => target.makesRoom(one)) });
      } catch (error) {
        takeBack([...batch, ...pending.splice(0)], error);
        continue;
      }
      for (const one of batch) {
        target.keep(one.change);
        one.resolve();
      }
      // What was appended is durable; a failure here spoils what comes next, which says so.
      if (journal.isLong) await journal.rewrite(target.checkpoint()).catch(() => {});
    }
    writing = undefined; // in this turn: who comes in the next starts again
  };
  const change = (wanted: Change): Promise<void> => {
    const written = enqueue(wanted);
    writing ??= writeAll();
    return written;
  };

  return {
    change,
    changeBehind(wanted) {
      enqueue(wanted).catch(() => {}); // it was taken back, and nobody has built on it
      if (writing === undefined) writingBehind ??= setTimeout(() => (writing ??= writeAll()), behindMs).unref();
    },
    changeAlong: along.make,
    settled: async () => void (await newest),
    get isWaiting() {
      return pending.length > 0;
    },
    tornBytes,
    get isBroken() {
      return journal.isBroken;
    },
    async close(last) {
      if (last !== undefined) change(last).catch(() => {});
      else if (pending.length > 0) writing ??= writeAll();
      await writing;
      await along.withdraw();
      await journal.close();
    },
  };
}
