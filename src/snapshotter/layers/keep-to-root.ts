import { stat } from "node:fs/promises";
import { CleatError } from "../../errors/index.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";

/**
 * A storage whose layers are named by paths below `root`, kept to the folder that stands there now. When it is moved, or
 * unmounted, another store may stand at its path, whose layers have the same numbers: every method fails with
 * FAILED_PRECONDITION then, and touches none of them. Costs one stat(2) a call.
 */
export async function keepToRoot(storage: SnapshotStorage, root: string): Promise<SnapshotStorage> {
  const opened = await identityOf(root);
  const kept =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if ((await identityOf(root).catch(() => undefined)) === opened) return method(...args);
      const message = `root "${root}" is not the folder any more that was opened: it was moved, unmounted or mounted over`;
      throw new CleatError("FAILED_PRECONDITION", message);
    };
  const { rebase } = storage;
  return {
    ...storage,
    list: kept(() => storage.list()),
    create: kept((place, call) => storage.create(place, call)),
    mounts: kept((id, use) => storage.mounts(id, use)),
    usage: kept((id, call) => storage.usage(id, call)),
    ...(rebase && { rebase: kept((id: number, parentId: number | undefined) => rebase(id, parentId)) }),
    remove: kept((id) => storage.remove(id)),
    sweep: kept((isLive) => storage.sweep(isLive)),
  };
}

async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}
