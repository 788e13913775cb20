import { existsSync, readdirSync, renameSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";
import type { ModuleReference, WorkerPool } from "../../workers/index.ts";
import { stagingFolder, trashFolder, uniqueName } from "./folders/home.ts";
import type { OpenHome } from "./open-home.ts";

/** What a driver runs on workers to delete what its `discardLayer` took out of the store. */
export interface TrashJobs {
  emptyTrash(home: string, name: string): void;
}

type TrashHome = Pick<OpenHome, "path" | "deleteBehind" | "logger">;

/**
 * The end of a `remove`, when nobody has the layer's lock any more: tells that it is gone, then deletes what is in the
 * trash, if there is anything: at leisure where the caller is told, and waits for no more. Whatever the caller does
 * then, the files go.
 */
export async function deleteTrashed(
  { path, deleteBehind }: Pick<OpenHome, "path" | "deleteBehind">,
  worker: ModuleReference<TrashJobs>,
  trashed: string | undefined,
  onGone: (() => void) | undefined,
): Promise<void> {
  try {
    onGone?.();
  } finally {
    const empty = (pool: WorkerPool) => pool.run(worker, "emptyTrash", path, trashed as string);
    if (trashed !== undefined) await deleteBehind(empty, onGone !== undefined);
  }
}

/** Where what is kept of an archive is staged, beside the tree of that name. */
export function exactNameOf(name: string): string {
  return `${name}-exact`;
}

/**
 * Runs `work`, which takes the lock of a layer, stages its tree under the name that it is given and, when it fails,
 * leaves it in the trash under the same. That is deleted when nobody has the lock any more: a gigabyte takes half a
 * second, and others may come first. Who is told of a full disk waits for it, since the next try needs the room; nobody
 * else does. What the thread left staged that died of it (a heap has its limit) is deleted, too.
 */
export async function withUndoBehind<T>(
  home: TrashHome,
  worker: ModuleReference<TrashJobs>,
  signal: AbortSignal | undefined,
  work: (stagedName: string) => Promise<T>,
): Promise<T> {
  const name = uniqueName();
  try {
    return await work(name);
  } catch (error) {
    const deleted = deleteLeft(home, worker, [name, exactNameOf(name)]);
    const needsRoom = error instanceof CleatError && error.code === "RESOURCE_EXHAUSTED";
    if (needsRoom && signal?.aborted !== true) await deleted;
    throw error;
  }
}

function deleteLeft(home: TrashHome, worker: ModuleReference<TrashJobs>, names: readonly string[]): Promise<unknown> {
  const left = names.filter((name) => {
    const trashed = `${home.path}/${trashFolder}/${name}`;
    try {
      renameSync(`${home.path}/${stagingFolder}/${name}`, trashed);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) home.logger.warn({ err: error, name }, "what was staged cannot be deleted");
    }
    return existsSync(trashed);
  });
  return Promise.all(left.map((name) => deleteOrTell(home, worker, name)));
}

/**
 * Deletes what is in the trash when it is called, which is what a crash, or a process that closed, left there: one
 * after another, while the home is served.
 */
export async function emptyTrashBehind(home: TrashHome, worker: ModuleReference<TrashJobs>): Promise<void> {
  try {
    for (const name of readdirSync(`${home.path}/${trashFolder}`)) await deleteOrTell(home, worker, name);
  } catch (error) {
    home.logger.warn({ err: error, path: trashFolder }, "what was removed cannot be looked at");
  }
}

/** What cannot be deleted is told to the logger, and left for the next opening. */
async function deleteOrTell(
  { path, deleteBehind, logger }: TrashHome,
  worker: ModuleReference<TrashJobs>,
  name: string,
): Promise<void> {
  try {
    await deleteBehind((pool) => pool.run(worker, "emptyTrash", path, name));
  } catch (error) {
    logger.warn({ err: error, path: `${trashFolder}/${name}` }, "what was removed cannot be deleted");
  }
}
