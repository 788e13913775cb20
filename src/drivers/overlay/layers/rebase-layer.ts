/**
 * Laying a layer on another, and taking that back. What a layer lies on is its `lower` file alone, which comes and goes
 * by one rename from and to staging, under a name that tells whose it is; a layer has a work folder before it has the
 * file, and still after. So whatever a crash leaves is a layer on its parent, or one without, whose work folder goes
 * when the store is opened.
 *
 * These functions block and run on workers.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { CleatError } from "../../../errors/index.ts";
import { hideBelowOpaqueRoot, removeTree, withFolder, withFolderAt } from "../../../layer/index.ts";
import { beginCommit, fsync, ignoreCancellation, isThere, syncfs } from "../../../syscall/index.ts";
import {
  makeCleanFolder,
  removeIfPossible,
  renameAcrossProjects,
  stagingFolder,
  stagingPath,
  takeBack,
} from "../../../graphdriver/job-kit.ts";
import { lowerOf } from "./create-layer.ts";
import { takeProjectOf } from "../quotas/layer-size.ts";
import { lowerFolders, parentOf, readLayer } from "../layout/layout.ts";
import { ownAttributePrefix } from "../layout/own-attributes.ts";

export interface Rebase {
  readonly id: string;
  /** `undefined` for what takes it back. */
  readonly parent: string | undefined;
  readonly maxDepth: number;
  /** Owner of the folders that a container sees. */
  readonly rootUid: number;
  readonly rootGid: number;
}

const stagedPrefix = "rebase-";
const stagedLower = (id: string): string => stagingPath(`${stagedPrefix}${id}`);

/**
 * Durable when it returns. A root that is marked opaque, which overlay does not heed, hides what the parent shows from
 * then on; of a layer that lies there already nothing else is changed.
 * @throws FAILED_PRECONDITION when the layer lies on another one, or was to lie on itself.
 * @throws NOT_FOUND for the layer or the parent, OUT_OF_RANGE when the stack would become too deep.
 */
export function rebaseLayer(home: string, rebase: Rebase): void {
  const { id, parent } = rebase;
  const current = parentOf(home, readLayer(home, id));
  if (parent === undefined) takeOff(home, id);
  else if (current === undefined) layOn(home, parent, rebase);
  else if (current === parent) settle(home, id);
  else throw new CleatError("FAILED_PRECONDITION", `layer "${id}" lies on layer "${current}", not on none`);
}

function settle(home: string, id: string): void {
  hideBelow(home, id, lowerFolders(home, readLayer(home, id)));
  withFolderAt(`${home}/${id}`, fsync);
}

function hideBelow(home: string, id: string, lowers: readonly string[]): void {
  withFolderAt(`${home}/${id}/diff`, (root) => {
    if (hideBelowOpaqueRoot(root, lowers, ownAttributePrefix())) syncfs(root);
  });
}

function layOn(home: string, parent: string, { id, maxDepth, rootUid, rootGid }: Rebase): void {
  if (parent === id) throw new CleatError("FAILED_PRECONDITION", `layer "${id}" cannot lie on itself`);
  const lower = lowerOf(home, parent, { id, maxDepth });
  const staged = stagedLower(id);
  hideBelow(home, id, [`${home}/${parent}/diff`, ...lowerFolders(home, readLayer(home, parent))]);
  withFolderAt(home, (folder) => {
    let isLaid = false;
    try {
      // First, and on the disk: it tells that a work folder without its file is nobody's.
      writeFileSync(`${home}/${staged}`, lower, { mode: 0o644, flush: true });
      removeTree(folder, `${id}/work`);
      makeCleanFolder(`${home}/${id}/work`, 0o700, { uid: rootUid, gid: rootGid });
      withFolder(folder, `${id}/work`, (work) => takeProjectOf(`${home}/${id}/diff`, work));
      beginCommit();
      renameAcrossProjects(folder, staged, folder, `${id}/lower`);
      isLaid = true;
      withFolder(folder, id, fsync);
    } catch (error) {
      ignoreCancellation();
      throw takeBack(error, () => {
        if (isLaid) renameAcrossProjects(folder, `${id}/lower`, folder, staged);
        removeTree(folder, `${id}/work`);
        removeTree(folder, staged);
      });
    }
  });
}

function takeOff(home: string, id: string): void {
  const staged = stagedLower(id);
  withFolderAt(home, (folder) => {
    if (isThere(`${home}/${id}/lower`)) {
      beginCommit();
      renameAcrossProjects(folder, `${id}/lower`, folder, staged);
    }
    withFolder(folder, id, fsync);
    ignoreCancellation();
    removeTree(folder, `${id}/work`);
    removeTree(folder, staged);
  });
}

/** Ends what a crash cut off; to be called before staging is swept. The notes go, for their names are used again. */
export function finishRebases(home: string): void {
  const notes = readdirSync(`${home}/${stagingFolder}`).filter((name) => name.startsWith(stagedPrefix));
  withFolderAt(home, (folder) => {
    for (const note of notes) {
      const id = note.slice(stagedPrefix.length);
      if (!isThere(`${home}/${id}/lower`)) removeTree(folder, `${id}/work`);
      removeIfPossible(removeTree, folder, stagingPath(note));
    }
  });
}
