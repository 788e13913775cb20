import { statSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";

/**
 * A storage whose layers are named by paths below `root`, kept to the folder that stands there now. When it is moved,
 * or unmounted, another store may stand at its path, whose layers have the same numbers: every method fails with
 * FAILED_PRECONDITION then, and touches none of them. Costs one stat(2) a call, of what the kernel has at hand: to wait
 * for another thread to do it takes ten times as long.
 */
export function keepToRoot(storage: SnapshotStorage, root: string): SnapshotStorage {
  const opened = identityOf(root);
  if (opened === undefined) throw new CleatError("FAILED_PRECONDITION", `root "${root}" cannot be looked at`);
  const kept =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (identityOf(root) === opened) return method(...args);
      const became = "it was moved, unmounted or mounted over";
      const message = `root "${root}" is not the folder any more that was opened: ${became}`;
      throw new CleatError("FAILED_PRECONDITION", message);
    };
  const { rebase, settle, mend } = storage;
  return {
    ...storage,
    list: kept(() => storage.list()),
    create: kept((place, call) => storage.create(place, call)),
    mounts: kept((id, use) => storage.mounts(id, use)),
    usage: kept((id, call) => storage.usage(id, call)),
    ...(rebase && { rebase: kept((id: number, parentId: number | undefined) => rebase(id, parentId)) }),
    ...(settle && { settle: kept((id: number, parentId: number) => settle(id, parentId)) }),
    ...(mend && { mend: kept((places: Parameters<typeof mend>[0]) => mend(places)) }),
    remove: kept((id) => storage.remove(id)),
    sweep: kept((isLive) => storage.sweep(isLive)),
  };
}

/** `undefined` where nothing is, or nothing that can be looked at. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
