/**
 * Small state that survives: tables of records, typed by zod schemas, in a folder of one process.
 *
 *     const pool = z.strictObject({ subnet: z.string(), taken: z.array(z.string()) })
 *     await using store = await openStore({ folder: "/var/lib/my-ipam", tables: { pools: pool } })
 *
 *     store.tables.pools.get("p1")                      in memory, at once
 *     await store.tables.pools.put("p1", { … })         resolves when it is on the disk
 *     await store.transact(({ pools }) => {             all of it, or nothing
 *       const { taken } = pools.get("p1") ?? fail()
 *       pools.put("p1", { …, taken: [...taken, "10.0.0.7"] })
 *     })
 *
 * ## Promises
 *
 * - What was acknowledged is there after `kill -9` and after power loss; what was not is there whole or not at all. One
 *   write and one flush for each change; changes that come together share them.
 * - A change is seen by every reader at once, before it is acknowledged. When it cannot be written it is taken back,
 *   with those that came after it, and all of them reject.
 * - When it is opened, all is read, checked (CRC, schemas) and kept in memory. A torn last line was never acknowledged:
 *   it is cut off, and said in `tornBytes`. Anything else that is damaged is refused with DATA_LOSS and left as it is.
 * - One process at a time. The folder is readable by its owner only (0700, files 0600), so that records may hold
 *   secrets.
 * - What has been overwritten leaves the disk: the file is written anew when it has become three times as long as
 *   needed.
 * - Records that a backup brings back are taken for the newest, unless a `markFile` tells that they are not.
 *
 * Values are frozen: what `get` returns is what would be read from the disk, and stays so. What JSON cannot hold goes
 * through a codec of the schema (`z.codec`).
 */
import { chmod, stat } from "node:fs/promises";
import type { z } from "zod";
import { CleatError, toCleatError } from "../errors/index.ts";
import { lockFolder } from "./folder-lock.ts";
import { createChangeQueue } from "./journal/change-queue.ts";
import { type HighWaterMark, openHighWaterMark } from "./journal/high-water-mark.ts";
import { type JournalFiles, openJournalFiles } from "./journal/journal-files.ts";
import { openJournal } from "./journal/journal.ts";
import { stateFormat } from "./stored-change.ts";
import { createTableState } from "./table-state.ts";
import { createTables, transactOn } from "./transaction.ts";

/** A schema for each table: of what can be kept as JSON, or of codecs to that. */
export type TableSchemas = Readonly<Record<string, z.ZodType>>;

export interface StoreOptions<Schemas extends TableSchemas> {
  /** Absolute path of a folder of its own, made if need be with mode 0700. */
  readonly folder: string;
  readonly tables: Schemas;
  /** Which shape of records this is: an integer from 1, the default. Raise it when old records do not fit any more. */
  readonly version?: number;
  /**
   * Brings a record as it was kept by an earlier `version` to this one; `undefined` drops it. All are brought at once
   * when the store is opened, or none.
   */
  migrate?(record: StoredRecord, fromVersion: number): unknown;
  /**
   * Absolute path of a file outside of `folder`, made in a folder that is there, that tells how far the records have
   * come: so that older ones, which a backup has brought back alone, are told from the newest. For those whose records
   * tell of something else that goes on without them. Without it older ones are taken as they are. Keep it where a
   * backup of `folder` alone leaves it, and one of everything takes it along.
   */
  readonly markFile?: string;
  /**
   * Changes older records so that what they tell of loses nothing by them, before anybody else sees them: all that is
   * changed is durable, or nothing. Where it throws, and without it, older records are refused.
   */
  settleOlder?(tables: DraftTables<Schemas>): void;
}

export interface StoredRecord {
  readonly table: string;
  readonly key: string;
  /** As JSON holds it. */
  readonly value: unknown;
}

export interface ReadableTable<Value> {
  readonly size: number;
  get(key: string): Value | undefined;
  /** In the order in which keys came. */
  entries(): IterableIterator<[key: string, value: Value]>;
}

export interface Table<Value> extends ReadableTable<Value> {
  /** @throws INVALID_ARGUMENT when the value does not fit the schema, and what `Store.transact` throws. */
  put(key: string, value: Value): Promise<void>;
  /** Of a key that is not there it does nothing. */
  delete(key: string): Promise<void>;
}

/** A table as a transaction sees it: with what it has changed itself. */
export interface DraftTable<Value> extends ReadableTable<Value> {
  put(key: string, value: Value): void;
  delete(key: string): void;
}

export type Tables<Schemas extends TableSchemas> = { readonly [Name in keyof Schemas]: Table<z.output<Schemas[Name]>> };
export type DraftTables<Schemas extends TableSchemas> = {
  readonly [Name in keyof Schemas]: DraftTable<z.output<Schemas[Name]>>;
};

export interface Store<Schemas extends TableSchemas> extends AsyncDisposable {
  readonly tables: Tables<Schemas>;
  /**
   * Runs `work`, which may not be asynchronous, and makes what it changed durable as one. When it throws, nothing was
   * changed. Resolves to what it returned.
   * @throws RESOURCE_EXHAUSTED when the disk is full; later changes may succeed.
   * @throws UNAVAILABLE when the disk has failed: until the store is opened again.
   * @throws FAILED_PRECONDITION when the store is closed.
   */
  transact<Result>(work: (tables: DraftTables<Schemas>) => Result): Promise<Result>;
  /** Bytes of a change that was never acknowledged, and was cut off when the store was opened. */
  readonly tornBytes: number;
  /** Waits for what was begun. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens a store, or makes one. Ten thousand records take a tenth of a second.
 * @throws FAILED_PRECONDITION when another process has it open, a later version has written it, or it holds tables that
 *   `tables` does not name.
 * @throws DATA_LOSS when it is damaged, or a record does not fit its schema; or the records are older than the mark,
 *   and there is no `settleOlder`.
 * @throws RESOURCE_EXHAUSTED when there is no room, memory or descriptor for it.
 */
export async function openStore<const Schemas extends TableSchemas>(
  options: StoreOptions<Schemas>,
): Promise<Store<Schemas>> {
  const { folder } = options;
  try {
    return await openInFolder(folder, options);
  } catch (error) {
    throw toCleatError(error, `records of "${folder}" cannot be opened`);
  }
}

async function openInFolder<Schemas extends TableSchemas>(
  folder: string,
  options: StoreOptions<Schemas>,
): Promise<Store<Schemas>> {
  const files = await openJournalFiles(folder);
  let lock: Awaited<ReturnType<typeof lockFolder>> | undefined;
  let mark: HighWaterMark | undefined;
  try {
    // Who made it may have been less careful. A full btrfs has no room for what changes nothing.
    if (((await stat(folder)).mode & 0o7777) !== 0o700) await chmod(folder, 0o700);
    lock = await lockFolder(folder, "records");
    // What it cannot tell it does not refuse.
    if (options.markFile !== undefined) mark = await openHighWaterMark(options.markFile, () => {});
    return await openStoreOver(files, options, lock.release, mark);
  } catch (error) {
    await lock?.release();
    await files.close();
    await mark?.close();
    throw error;
  }
}

/** As `openStore`, over any disk. @internal */
export async function openStoreOver<const Schemas extends TableSchemas>(
  files: JournalFiles,
  options: Omit<StoreOptions<Schemas>, "folder">,
  release: () => Promise<void> = async () => {},
  mark?: HighWaterMark,
): Promise<Store<Schemas>> {
  const state = createTableState(options.tables, options.version ?? 1);
  let isMigrated = false;
  let isNew = false;
  let isOlder = false;
  let durableSeq = 0;
  const opened = await openJournal({
    files,
    format: stateFormat,
    begin() {
      isNew = true;
      return state.checkpoint();
    },
    onChange: state.load,
    async onRead(seq) {
      isMigrated = state.finishLoading(options.migrate);
      isOlder = !isNew && mark !== undefined && seq < mark.seq;
      if (isNew) await mark?.forget();
      if (isOlder && options.settleOlder === undefined) throw olderThan(seq, mark);
    },
    onDurable(seq) {
      durableSeq = seq;
      if (!isOlder) mark?.note(seq); // until they are settled they stay older
    },
  });
  try {
    if (isMigrated) await opened.journal.rewrite(state.checkpoint());
  } catch (error) {
    await opened.journal.close();
    throw error;
  }
  const queue = createChangeQueue(opened, state);
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= queue
      .close()
      .finally(() => mark?.close())
      .finally(release));
  const transact = transactOn<Schemas>(state, options.tables, async (change) => {
    if (closing !== undefined) throw state.closed();
    await queue.change(change);
  });
  if (isOlder) {
    try {
      await transact((tables) => options.settleOlder?.(tables));
    } catch (error) {
      await queue.close();
      throw error;
    }
    isOlder = false;
    mark?.note(durableSeq);
  }
  return {
    tables: createTables(state, options.tables, transact),
    transact,
    tornBytes: opened.tornBytes,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function olderThan(seq: number, mark: HighWaterMark | undefined): CleatError {
  const message =
    `records end with change ${seq}, and change ${mark?.seq} was acknowledged: they are older than what ` +
    "they tell of, as from a backup, or the disk has lost their end; nothing was changed. Bring the newer records " +
    `back; or, to go on with these, remove "${mark?.path}"`;
  return new CleatError("DATA_LOSS", message);
}
