import { CleatError } from "../../errors/index.ts";
import {
  createChangeQueue,
  type HighWaterMark,
  type JournalFiles,
  openJournal,
  type OpenedJournal,
} from "../../state/kit.ts";
import { snapshotsFormat } from "./encode-change.ts";
import type { OfferedWrite } from "../../syscall/index.ts";
import type { Change, SnapshotRecord } from "./record.ts";
import { createRecordState, type IndexOf, type RecordState, textLengthOf } from "./state.ts";

/**
 * The records of all snapshots: read in memory, changed durably.
 *
 * A change is made in memory at once, so that the next one builds on it, and acknowledged when it is on disk. Changes
 * that come while one is being written are written together: a thousand at once cost two or three flushes.
 */
export interface Records {
  byName(name: string): SnapshotRecord | undefined;
  byId(id: number): SnapshotRecord | undefined;
  /** There is such a record, or was, and its removal is not durable yet: it may come back. */
  isLive(id: number): boolean;
  hasChildren(id: number): boolean;
  /** Those of which the `indexOf` of `openRecords` says so. */
  indexed(text: string): Iterable<SnapshotRecord>;
  /** Whether one of those is one of them on the disk, too. */
  isDurablyIndexed(record: SnapshotRecord): boolean;
  /** Resolves when all that was asked for until now is durable, or was taken back. */
  settled(): Promise<void>;
  /** All records, as they are now. */
  all(): readonly SnapshotRecord[];
  /** An id that nobody was ever given. Waits for the disk once in a hundred times. */
  takeId(): Promise<number>;
  /**
   * Makes a change. Resolves when it is durable. When it rejects, it was taken back, with those that came after it.
   * @throws RESOURCE_EXHAUSTED when the disk is full, or there is too much text in all records; UNAVAILABLE when it has
   * failed before.
   */
  change(change: Change): Promise<void>;
  /**
   * Has `work` make what has to be there before a change, whose thread may then write that, too, where it is offered.
   * Resolves to whether the change is made, and durable; else it is for the caller to make.
   * @throws what `work` does, and what `change` does.
   */
  changeAlong(change: Change, work: (offered: OfferedWrite | undefined) => Promise<void>): Promise<boolean>;
  /**
   * Makes a change that nobody waits for: it is written along with the next one, or within a second or so. What is lost
   * of it by a crash, or by a full disk, must be such as can be found again.
   */
  changeBehind(change: Change): void;
  /** The disk has failed: a change that was refused may be there after all when the records are opened again. */
  readonly isBroken: boolean;
  /** Bytes of a torn last line that were cut off when the records were opened. */
  readonly tornBytes: number;
  /** Waits for what was begun. */
  close(): Promise<void>;
}

/** How many ids are set aside by one write. Those that are left when the process is killed are never given. */
const idsAtOnce = 100;
/** Before so few are left, more are set aside along with the change that the next snapshot is, so that none waits. */
const idsInReserve = 25;
/** How many records one line of a rewritten journal holds, and one turn of the event loop encodes. */
const recordsPerLine = 200;
/** And how many characters of names and labels, roughly: a text may take six times as many in JSON. */
const maxLineLength = 4 * 1024 * 1024;

/**
 * What names and labels of all snapshots may hold together, in characters: all of it is in memory, and is read in one
 * piece, of 2 GiB at the most. Ten thousand snapshots with all that Kubernetes says of them have a third of it.
 */
const defaultMaxTextLength = 128 * 1024 * 1024;

export interface OpenRecordsOptions {
  /** The highest of what is in use elsewhere; default 0, for nothing. */
  readonly usedId?: number;
  /** Tells of a record always the same. */
  readonly indexOf?: IndexOf;
  /** Closed with the records. */
  readonly mark?: HighWaterMark | undefined;
  /** What names and labels of all may hold together, in characters. */
  readonly maxTextLength?: number;
}

/**
 * @throws DATA_LOSS when the records are damaged, or older than what is in use, which would be deleted as left over, or
 * than the mark.
 * @throws FAILED_PRECONDITION when a later version has written them, or they are not there and something is in use.
 */
export async function openRecords(files: JournalFiles, options: OpenRecordsOptions = {}): Promise<Records> {
  const { usedId = 0, indexOf, mark } = options;
  const state = createRecordState(indexOf);
  let isNew = false;
  const opened = await openJournal({
    files,
    format: snapshotsFormat,
    begin() {
      isNew = true;
      if (usedId === 0) return checkpointOf([], 1);
      throw new CleatError("FAILED_PRECONDITION", "snapshots are there whose records are not; nothing was changed");
    },
    onChange: (change) => void state.apply(change),
    async onRead(seq) {
      assertNotOlder(state.nextId, usedId);
      if (isNew) await mark?.forget();
      else if (mark !== undefined) assertReaches(seq, mark);
    },
    onDurable: (seq) => mark?.note(seq),
    mayHaveRoom: true,
  });
  return createRecords(state, opened, options);
}

function assertNotOlder(nextId: number, usedId: number): void {
  if (usedId < nextId) return;
  const message =
    `a snapshot of number ${usedId} is there, and records know of none above ${nextId - 1}: they are older than the ` +
    "snapshots, as from a backup; nothing was deleted. Bring the newer records back, or take the newer snapshots out " +
    "of the root";
  throw new CleatError("DATA_LOSS", message);
}

function assertReaches(seq: number, mark: HighWaterMark): void {
  if (seq >= mark.seq) return;
  const message =
    `records of snapshots end with change ${seq}, and change ${mark.seq} was acknowledged: they are older than the ` +
    "snapshots, as from a backup, or from a copy made file by file of what was served meanwhile, or the disk has " +
    "lost their end; nothing was deleted. Bring the newer records back; or, to go on with these, remove " +
    `"${mark.path}": what came after them is deleted then, and has to be pulled or made again`;
  throw new CleatError("DATA_LOSS", message);
}

function createRecords(
  state: RecordState,
  opened: OpenedJournal<Change>,
  { indexOf = () => undefined, mark, maxTextLength = defaultMaxTextLength }: OpenRecordsOptions,
): Records {
  // What is on disk: `state` without what waits to be written.
  const durable = new Map(Array.from(state.all(), (record) => [record.id, record]));
  let durableNextId = state.nextId;
  let nextId = state.nextId;
  let reserving: Promise<void> | undefined;
  let awaitingIds = 0;
  let isClosed = false;

  const queue = createChangeQueue(opened, {
    apply: (change) => state.apply(change),
    keep({ put = [], remove = [], nextId: reserved }) {
      for (const id of remove) durable.delete(id);
      for (const record of put) durable.set(record.id, record);
      durableNextId = reserved ?? durableNextId;
    },
    checkpoint: () => checkpointOf(parentsFirst([...durable.values()]), durableNextId),
    lengthOf,
    makesRoom: ({ put, remove, nextId: reserved }) =>
      put === undefined && reserved === undefined && remove !== undefined,
  });
  /** @throws FAILED_PRECONDITION, RESOURCE_EXHAUSTED. */
  const assertTakes = ({ put = [] }: Change) => {
    if (isClosed) throw closed();
    let added = 0;
    for (const record of put) {
      const before = state.byId(record.id);
      added += textLengthOf(record) - (before === undefined ? 0 : textLengthOf(before));
    }
    if (added <= 0 || state.textLength + added <= maxTextLength) return;
    const message = `names and labels of all snapshots are longer than ${maxTextLength} characters together`;
    throw new CleatError("RESOURCE_EXHAUSTED", message);
  };
  const change = async (wanted: Change): Promise<void> => {
    assertTakes(wanted);
    await queue.change(wanted);
  };
  const changeAlong: Records["changeAlong"] = async (wanted, work) => {
    assertTakes(wanted);
    return queue.changeAlong(wanted, work);
  };
  const reserve = () =>
    (reserving ??= change({ nextId: nextId + awaitingIds + idsAtOnce }).finally(() => (reserving = undefined)));

  return {
    byName: state.byName,
    byId: state.byId,
    isLive: (id) => state.byId(id) !== undefined || durable.has(id),
    indexed: state.indexed,
    isDurablyIndexed(record) {
      const kept = durable.get(record.id);
      return kept !== undefined && indexOf(kept) === indexOf(record);
    },
    settled: () => queue.settled(),
    hasChildren: (id) => state.childCount(id) > 0,
    all: () => [...state.all()],
    tornBytes: queue.tornBytes,
    get isBroken() {
      return queue.isBroken;
    },
    async takeId() {
      awaitingIds++;
      try {
        for (;;) {
          if (isClosed) throw closed(); // which numbers were given is written already
          if (nextId < durableNextId) {
            if (state.nextId - nextId < idsInReserve) queue.changeBehind({ nextId: state.nextId + idsAtOnce });
            return nextId++;
          }
          await reserve();
        }
      } finally {
        awaitingIds--;
      }
    },
    change,
    changeAlong,
    changeBehind(wanted) {
      if (!isClosed) queue.changeBehind(wanted);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // Those that were set aside and not given may be given next time.
      const last = nextId < state.nextId || queue.isWaiting ? { nextId } : undefined;
      await queue.close(last).finally(() => mark?.close());
    },
  };
}

function closed(): CleatError {
  return new CleatError("FAILED_PRECONDITION", "records of snapshots are closed");
}

/** All records, as changes of a line each. */
function checkpointOf(records: readonly SnapshotRecord[], nextId: number): Change[] {
  const changes: Change[] = [];
  for (let at = 0, end = 0; at < records.length; at = end) {
    for (let length = 0; end < records.length && end - at < recordsPerLine && length <= maxLineLength; end++)
      length += textLengthOf(records[end] as SnapshotRecord);
    changes.push({ put: records.slice(at, end) });
  }
  return [...changes.slice(0, -1), { put: changes.at(-1)?.put ?? [], nextId }];
}

function lengthOf({ put = [], remove = [] }: Change): number {
  let length = 100 * (1 + put.length + remove.length);
  for (const record of put) length += textLengthOf(record);
  return length;
}

/** A child may be older than its parent, which it got when it was committed. */
export function parentsFirst(all: readonly SnapshotRecord[]): SnapshotRecord[] {
  const records = new Map(all.map((record) => [record.id, record]));
  const ordered = new Set<SnapshotRecord>();
  for (const record of all) {
    const chain: SnapshotRecord[] = [];
    let next: SnapshotRecord | undefined = record;
    while (next !== undefined && !ordered.has(next)) {
      chain.push(next);
      next = next.parentId === undefined ? undefined : records.get(next.parentId);
    }
    for (const one of chain.toReversed()) ordered.add(one);
  }
  return [...ordered];
}
