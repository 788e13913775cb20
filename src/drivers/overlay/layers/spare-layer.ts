/**
 * What every layer on another begins with, made ahead: two folders and the link's file, the larger part of the work.
 * One waits in staging at the most, where it is in nobody's way: it is no layer, and is swept with what else is staged
 * when the home is opened. It is made behind a call, by the thread that has just made a layer, so that nobody waits for
 * it and no other thread is started. Where none is there, or none can be made, nothing is the matter: a layer is made
 * as a whole then. These functions block and run on workers.
 */
import { readdirSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError, isSystemError } from "../../../errors/index.ts";
import {
  makeFolderInClean,
  type Owner,
  readIfThere,
  removeIfPossible,
  stagingFolder,
  stagingPath,
  uniqueName,
  withCleanFolder,
} from "../../../graphdriver/job-kit.ts";
import { removeTree, withFolder, withFolderAt } from "../../../layer/index.ts";
import {
  close,
  fsync,
  ignoreCancellation,
  nowNs,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  RENAME_NOREPLACE,
  renameat2,
  statat,
  utimensat,
} from "../../../syscall/index.ts";
import { createLink, isLink } from "../layout/layout.ts";
import { writeNewFile } from "./write-new-file.ts";

/** The one that waits is called so, and those in the making begin with it; no other name in staging does. */
const spareName = "spare";
/** Relative to the home. */
export const sparePath = stagingPath(spareName);

/** Makes the folder of a layer with what it has whatever it lies on; `visit` is told its link while it is open. */
export function makeNewLayer(
  path: string,
  { isOnOther, root, durable }: { readonly isOnOther: boolean; readonly root: Owner; readonly durable: boolean },
  visit: (folder: number, link: string) => void,
): void {
  withCleanFolder(path, 0o710, { uid: 0, gid: root.gid }, (folder) => {
    const link = createLink();
    makeFolderInClean(folder, "diff", 0o755, root);
    writeNewFile(folder, "link", link, durable);
    if (isOnOther) makeFolderInClean(folder, "work", 0o700, root);
    visit(folder, link);
  });
}

/**
 * Makes of the spare what `makeNewLayer` makes of nothing, with its `lower` file, and returns its link; nothing where
 * there is none. Who takes it is who could make that file in it. What is left where that fails, or was left by a thread
 * that died meanwhile, goes.
 */
export function takeSpare(
  home: string,
  folder: number,
  { lower, root, durable }: { readonly lower: string; readonly root: Owner; readonly durable: boolean },
  visit: (spare: number) => void,
): string | undefined {
  try {
    return withFolder(folder, sparePath, (spare) => {
      writeNewFile(spare, "lower", lower, durable);
      const link = readIfThere(`${home}/${sparePath}/link`) ?? "";
      if (!isLink(link)) throw new CleatError("DATA_LOSS", `"${sparePath}" has a damaged link file`);
      assertUntouched(spare, root);
      if (durable) flush(spare, "link");
      showAsNew(spare);
      visit(spare);
      return link;
    });
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof CleatError)) throw error;
    removeIfPossible(removeTree, folder, sparePath); // nothing where there is none
    return undefined;
  }
}

/**
 * Where a layer of it could not be made, and its removal failed midway, a folder may be gone, or the root be owned by
 * whom that layer was for.
 */
function assertUntouched(spare: number, root: Owner): void {
  statat(spare, "work");
  const { uid, gid } = statat(spare, "diff");
  if (uid !== root.uid || gid !== root.gid)
    throw new CleatError("DATA_LOSS", `"${sparePath}" was begun for another layer`);
}

/** A container sees the time of the root of its layer, which is made now, as that of its own. */
function showAsNew(layer: number): void {
  const now = nowNs();
  utimensat(layer, "diff", Number(now / second), Number(now % second));
}

const second = 1_000_000_000n;

function flush(folder: number, name: string): void {
  const file = openat(folder, name, O_RDONLY | O_NOFOLLOW);
  try {
    fsync(file);
  } finally {
    close(file);
  }
}

/** Has this thread make the next spare once it has answered. */
export function makeSpareBehind(home: string, root: Owner): void {
  setImmediate(() => {
    ignoreCancellation(); // of the job that was answered
    try {
      makeSpare(home, root);
    } catch {
      // On a full disk, say. Nobody waits for it, and what is left of it is swept.
    }
  });
}

function makeSpare(home: string, root: Owner): void {
  const path = stagingPath(`${spareName}-${uniqueName()}`);
  withFolderAt(home, (folder) => {
    try {
      makeNewLayer(`${home}/${path}`, { isOnOther: true, root, durable: false }, () => {});
      renameat2(folder, path, folder, sparePath, RENAME_NOREPLACE);
    } catch (error) {
      removeIfPossible(removeTree, folder, path);
      throw error;
    }
  });
}

/** Takes away what waits, and what a thread that died has left of one. */
export async function dropSpares(home: string): Promise<void> {
  await nextTurn(); // one that this thread is about to make
  const spares = readdirSync(`${home}/${stagingFolder}`).filter((name) => name.startsWith(spareName));
  withFolderAt(home, (folder) => {
    for (const name of spares) removeIfPossible(removeTree, folder, stagingPath(name));
  });
}
