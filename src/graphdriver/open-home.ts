import { toCleatError } from "../errors/index.ts";
import type { IdRanges } from "../layer/index.ts";
import { close } from "../syscall/index.ts";
import { createWorkerPool, type WorkerPool } from "../workers/index.ts";
import type { Durability, OpenOptions } from "./driver.ts";
import { lockHome, prepareHome } from "./home.ts";
import { createLayerLocks, type LayerLocks } from "./layer-locks.ts";

/** What every driver holds while it is open. */
export interface OpenHome {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  readonly ids: IdRanges;
  readonly durability: Durability;
  readonly pool: WorkerPool;
  readonly locks: LayerLocks;
  /** Waits for running calls, ends the threads, gives the home free. */
  close(): Promise<void>;
}

/**
 * Prepares and locks the home and runs `start` in it; when that fails, all is given back.
 * @throws FAILED_PRECONDITION when the home is not a folder or is being served already.
 */
export async function openHome<T>(options: OpenOptions, start: (home: OpenHome) => Promise<T>): Promise<T> {
  const path = prepareHome(options.home);
  const lock = lockHome(path);
  const pool = createWorkerPool();
  const locks = createLayerLocks();
  let closing: Promise<void> | undefined;

  async function giveBack(): Promise<void> {
    await locks.idle();
    await pool.close();
    close(lock);
  }

  const home: OpenHome = {
    path,
    ids: { uids: options.uidMaps ?? [], gids: options.gidMaps ?? [] },
    durability: options.durability ?? "layer",
    pool,
    locks,
    close: () => (closing ??= giveBack()),
  };
  try {
    return await start(home);
  } catch (error) {
    await home.close();
    throw toCleatError(error, `home ${JSON.stringify(options.home)}`);
  }
}
