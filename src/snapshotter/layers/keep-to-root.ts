import { CleatError } from "../../errors/index.ts";
import { keepToFolder } from "../../syscall/index.ts";
import type { MayLieOn, SnapshotStorage } from "../snapshot-storage.ts";
import { SyncNotToldError } from "../sync-not-told.ts";

/**
 * A storage whose layers are named by paths below `root`, kept to the folder that stands there now. When it is moved,
 * or unmounted, another store may stand at its path, whose layers have the same numbers: every method fails with
 * FAILED_PRECONDITION then, and touches none of them; with UNAVAILABLE while it cannot be looked at. What engines write
 * to it by paths is looked at by `sync`, before and after.
 */
export function keepToRoot(storage: SnapshotStorage, root: string): SnapshotStorage {
  const assertInPlace = keepToFolder(root, "root");
  const assertSyncs = (): void => {
    try {
      assertInPlace();
    } catch (error) {
      if (!(error instanceof CleatError)) throw error;
      throw new SyncNotToldError(error, { otherFolder: error.code !== "UNAVAILABLE" });
    }
  };
  const kept =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      assertInPlace();
      return method(...args);
    };
  const { rebase, settle, mend } = storage;
  /** What was to be removed meanwhile, of which the storage has not heard. */
  const refused = new Set<number>();
  const remove = async (id: number, mayLieOn?: MayLieOn): Promise<void> => {
    refused.add(id);
    assertInPlace();
    refused.delete(id);
    await storage.remove(id, mayLieOn);
  };
  return {
    ...storage,
    list: kept(() => storage.list()),
    create: kept((place, call) => storage.create(place, call)),
    mounts: kept((id, use) => storage.mounts(id, use)),
    usage: kept((id, call) => storage.usage(id, call)),
    ...(rebase && { rebase: kept((id: number, parentId: number | undefined) => rebase(id, parentId)) }),
    ...(settle && { settle: kept((id: number, parentId: number) => settle(id, parentId)) }),
    ...(mend && { mend: kept((places: Parameters<typeof mend>[0]) => mend(places)) }),
    async sync() {
      assertSyncs();
      await storage.sync?.();
      assertSyncs(); // or what is flushed is not where it was unpacked
    },
    remove,
    sweep: kept(async (isLive, mayLieOn) => {
      // A failure is the storage's from then on, which tries again, and tells.
      for (const id of refused) if (!isLive(id)) await remove(id, mayLieOn).catch(() => {});
      await storage.sweep(isLive, mayLieOn);
    }),
  };
}
