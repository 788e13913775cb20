import { statSync } from "node:fs";
import { createIdMaps, type IdRanges, withFolderAt } from "../../layer/index.ts";
import { close, isInUserNamespace, syncfsBehind } from "../../syscall/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { createSlots, createWorkerPool, type WorkerPool } from "../../workers/index.ts";
import { readMaxThreads } from "../driver-options.ts";
import type { GraphDriver, GraphDriverMethods } from "../driver.ts";
import type { Durability, OpenOptions } from "../driver-factory.ts";
import { assertUse, type HomeUse, recordUse } from "./records/driver-record.ts";
import { guardDriver } from "./guards/guard-driver.ts";
import { takeEarlierFailures } from "./behind/earlier-failures.ts";
import { keepsOrder } from "./behind/keeps-order.ts";
import { keepToHome } from "./guards/keep-to-home.ts";
import { lockHome, prepareHome, stagingFolder } from "./folders/home.ts";
import { createLayerLocks, type LayerLocks } from "./guards/layer-locks.ts";
import { toErrorAbout } from "../layer-error.ts";
import { statusWithTroubles } from "./guards/layer-troubles.ts";
import { createQuiet } from "./behind/quiet.ts";
import { syncBehind } from "./behind/sync-behind.ts";

/** What every driver holds while it is open. */
export interface OpenHome {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  readonly ids: IdRanges;
  /** Who root of a layer is on disk. */
  readonly owner: { readonly rootUid: number; readonly rootGid: number };
  /** Whether an ordinary user keeps the layers, to whom every file then belongs. */
  readonly squash: boolean;
  /** Whether root of a user namespace keeps them, who can keep less of an archive than the host's. */
  readonly userNamespace: boolean;
  readonly durability: Durability;
  /** Whether the file system keeps the order of names (`keeps-order.ts`). */
  readonly ordered: boolean;
  readonly resume: boolean;
  readonly logger: Logger;
  readonly pool: WorkerPool;
  readonly locks: LayerLocks;
  /** The same for one call: what waits or runs for it ends when its signal aborts. */
  within(call: Pick<CallOptions, "signal"> | undefined): OpenHome;
  /** Has `fill` fill a layer, `flushed`; writes to the disk meanwhile what is there of it already. */
  whileFilling<T>(fill: () => Promise<T>): Promise<T>;
  /**
   * Runs what ends in a flush of the file system, which is not to fail for what calls before it have written
   * (`earlier-failures.ts`).
   */
  flushed<T>(write: () => Promise<T>): Promise<T>;
  /**
   * Deletes what is out of the store already. When the home is closed meanwhile that breaks off without an error, since
   * whoever opens the home next sweeps what is left: a tree of millions of files holds up no shutdown. What nobody
   * waits for is put off until engines ask for nothing else (`quiet.ts`), if it `mayWait`.
   */
  deleteBehind(work: (pool: WorkerPool) => Promise<void>, mayWait?: boolean): Promise<void>;
  /** Waits for running calls, does what is `last` to be done with threads, ends these, gives the home free. */
  close(last?: () => Promise<void>): Promise<void>;
}

/** What is deleted behind calls must not keep their threads from them, nor have more of them started. */
const deletionsAtOnce = 1;

/** What a driver was opened with; of its own options only `cleat.max_threads` is read here. */
export type OpenHomeOptions = OpenOptions & { readonly maxThreads?: number | undefined };

/**
 * Prepares and locks the home and runs `start` in it; when that fails, all is given back. What opened is recorded as
 * the home's driver (`driver-record.ts`), and throws nothing but what the contract says (`guard-driver.ts`). `use` is a
 * function where it takes a look at the machine, which may fail.
 * @throws FAILED_PRECONDITION when the home is not a folder, is being served already, or is another driver's or not to
 * be read by this process.
 */
export async function openHome(
  use: HomeUse | (() => HomeUse),
  options: OpenHomeOptions,
  start: (home: OpenHome) => Promise<GraphDriverMethods>,
): Promise<GraphDriver> {
  try {
    return guardDriver(await startIn(typeof use === "function" ? use() : use, options, start));
  } catch (error) {
    throw toErrorAbout(error, `home ${JSON.stringify(options.home)}`);
  }
}

async function startIn(
  { driver, attributes }: HomeUse,
  options: OpenHomeOptions,
  start: (home: OpenHome) => Promise<GraphDriverMethods>,
): Promise<GraphDriverMethods> {
  const squash = process.geteuid?.() !== 0;
  const use: HomeUse = { driver, attributes, squash: squash || undefined, door: options.door };
  const ids = squash ? ownIds() : { uids: options.uidMaps ?? [], gids: options.gidMaps ?? [] };
  const { uids, gids } = createIdMaps(ids);
  const maxThreads = readMaxThreads(options);
  const userNamespace = isInUserNamespace();
  // Before anything is made in it: one that is refused stays as it was. Once more when nobody else has it.
  if (statSync(options.home, { throwIfNoEntry: false })?.isDirectory()) assertUse(options.home, use);
  const path = prepareHome(options.home, gids.hostRoot);
  const ordered = withFolderAt(path, keepsOrder);
  const lock = lockHome(path); // nothing may fail from here on before what gives it back
  const pool = createWorkerPool({
    maxThreads,
    spoolFolder: `${path}/${stagingFolder}`,
  });
  const ending = new AbortController();
  const quiet = createQuiet(ending.signal);
  const locks = createLayerLocks(quiet.touch);
  const deletions = createSlots(deletionsAtOnce);
  const { durability = "layer", logger = silentLogger } = options;
  const syncing = syncBehind(durability === "layer" ? () => syncfsBehind(lock) : undefined, logger);
  const earlier = takeEarlierFailures(durability === "none" ? undefined : () => syncfsBehind(lock), logger);
  let fillings = 0;
  let closing: Promise<void> | undefined;

  async function giveBack(last: () => Promise<void>): Promise<void> {
    ending.abort();
    await locks.idle();
    await syncing.close();
    await last();
    await pool.close().finally(() => close(lock));
  }

  const home: OpenHome = {
    path,
    ids,
    owner: { rootUid: uids.hostRoot, rootGid: gids.hostRoot },
    squash,
    userNamespace,
    durability,
    ordered,
    resume: options.resume ?? false,
    logger,
    pool,
    locks,
    whileFilling: (fill) =>
      earlier.before(() => {
        const id = fillings++;
        syncing.begin(id);
        return fill().finally(() => syncing.end(id));
      }),
    flushed: earlier.before,
    async deleteBehind(work, mayWait = false) {
      try {
        if (mayWait) await quiet.until();
        await deletions.within(() => work(pool.within(ending.signal)));
      } catch (error) {
        if (!ending.signal.aborted) throw error;
      }
    },
    within: (call) =>
      call?.signal === undefined ? home : { ...home, pool: pool.within(call.signal), locks: locks.within(call.signal) },
    close: (last = async () => {}) => (closing ??= giveBack(last)),
  };
  try {
    assertUse(path, use);
    const opened = await start(home);
    recordUse(path, use);
    return keepToHome(opened, path, { status: statusWithTroubles(opened) });
  } catch (error) {
    await home.close();
    throw error;
  }
}

/** Root of a layer is the user who runs this. */
function ownIds(): IdRanges {
  const own = (hostId: number | undefined) => [{ containerId: 0, hostId: hostId ?? 0, size: 1 }];
  return { uids: own(process.geteuid?.()), gids: own(process.getegid?.()) };
}
