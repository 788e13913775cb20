import { readdirSync } from "node:fs";
import type { ModuleReference } from "../../workers/index.ts";
import { trashFolder } from "./home.ts";
import type { OpenHome } from "./open-home.ts";

/** What a driver runs on workers to delete what its `discardLayer` took out of the store. */
export interface TrashJobs {
  emptyTrash(home: string, name: string): void;
}

/**
 * The end of a `remove`, when nobody has the layer's lock any more: tells that it is gone, then deletes what is in the
 * trash, if there is anything. Whatever the caller does when it is told, the files go.
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
    if (trashed !== undefined) await deleteBehind((pool) => pool.run(worker, "emptyTrash", path, trashed));
  }
}

/**
 * Deletes what is in the trash when it is called, which is what a crash, or a process that closed, left there: one
 * after another, while the home is served. What cannot be deleted is told to the logger, and left for the next opening.
 */
export async function emptyTrashBehind(
  { path, deleteBehind, logger }: Pick<OpenHome, "path" | "deleteBehind" | "logger">,
  worker: ModuleReference<TrashJobs>,
): Promise<void> {
  const deleteOne = async (name: string): Promise<void> => {
    try {
      await deleteBehind((pool) => pool.run(worker, "emptyTrash", path, name));
    } catch (error) {
      logger.warn({ err: error, path: `${trashFolder}/${name}` }, "what was removed cannot be deleted");
    }
  };
  try {
    for (const name of readdirSync(`${path}/${trashFolder}`)) await deleteOne(name);
  } catch (error) {
    logger.warn({ err: error, path: trashFolder }, "what was removed cannot be looked at");
  }
}
