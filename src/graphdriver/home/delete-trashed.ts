import type { ModuleReference } from "../../workers/index.ts";
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
