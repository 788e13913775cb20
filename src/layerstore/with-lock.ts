import { releaseAfter } from "../errors/kit.ts";
import { removeTree, withFolderAt } from "../layer/index.ts";
import { close, isThere, renameat2 } from "../syscall/index.ts";
import { lockHome, ownFolder, prepareHome, uniqueName } from "../graphdriver/kit.ts";
import { isOurs } from "./assert-at-rest.ts";

/**
 * Works on a store that no driver of Cleat's can open meanwhile. One that none ever had is left without a trace of the
 * lock.
 * @throws FAILED_PRECONDITION while the store is served; whatever `work` throws.
 */
export async function withLock<T>(home: string, work: () => Promise<T>): Promise<T> {
  const wasThere = isThere(`${home}/${ownFolder}`);
  prepareHome(home, 0);
  const lock = lockHome(home);
  const removeTrace = () => {
    if (!wasThere && !isOurs(home)) removeOwnFolder(home);
  };
  return releaseAfter(
    () => releaseAfter(work, removeTrace),
    () => close(lock),
  );
}

/**
 * While it is locked, and in one step: a driver that opens just then finds all of the folder or makes its own. What a
 * repair could not delete, as something is mounted in it, stays.
 */
function removeOwnFolder(home: string): void {
  const away = `${ownFolder}.${uniqueName()}`;
  withFolderAt(home, (folder) => {
    renameat2(folder, ownFolder, folder, away);
    removeTree(folder, away);
  });
}
