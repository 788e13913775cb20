/** Applying a diff to a layer in place, all or nothing all the same. These functions block and run on workers. */
import { existsSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { CleatError, isSystemError, withSubject } from "../../errors/index.ts";
import { applyLayer, compareTrees, createIdMaps, type IdRanges, withFolder, withFolderAt } from "../../layer/index.ts";
import { fsync, readNames, renameat2, syncfs } from "../../syscall/index.ts";
import { createSyncRingReader, type Ring } from "../../workers/index.ts";
import type { Durability } from "../driver.ts";
import { sweep } from "../home.ts";
import { resetLayer } from "./create-layer.ts";
import { fillingFolder, layerPath, unfilledFolder } from "./layout.ts";

export interface ApplyDiffOptions {
  readonly ids: IdRanges;
  readonly durability: Durability;
  readonly squash: boolean;
}

/**
 * Unpacks the archive in `ring` into a layer that was just created. That it is under way is written down first, so that a
 * crash is noticed at the next start.
 * @throws FAILED_PRECONDITION when the layer has its diff already, or lies on another parent.
 */
export function applyDiff(
  home: string,
  id: string,
  parent: string | undefined,
  ring: Ring,
  options: ApplyDiffOptions,
): number {
  const source = createSyncRingReader(ring);
  const { ids, durability, squash } = options;
  try {
    beginFilling(home, id, parent);
    try {
      const sizeBytes = withFolderAt(layerPath(home, id), (folder) => {
        const size = applyLayer(source, folder, {
          whiteouts: { kind: "delete" },
          ids,
          syncFiles: durability === "file",
          squash,
        });
        if (durability !== "none") syncfs(folder);
        return size;
      });
      endFilling(home, id, durability);
      return sizeBytes;
    } catch (error) {
      const { uids, gids } = createIdMaps(ids);
      resetLayer(home, { id, parent, rootUid: uids.hostRoot, rootGid: gids.hostRoot });
      throw error;
    }
  } catch (error) {
    throw withSubject(error, `layer "${id}"`);
  } finally {
    source.leave();
  }
}

function beginFilling(home: string, id: string, parent: string | undefined): void {
  if (!existsSync(layerPath(home, id))) throw new CleatError("NOT_FOUND", "it does not exist");
  const recorded = readIfThere(`${home}/${unfilledFolder}/${id}`);
  if (recorded === undefined) {
    throw holdsChanges();
  }
  if (recorded !== (parent ?? "")) {
    const shown = (name: string | undefined): string => (name ? `layer "${name}"` : "no layer");
    throw new CleatError("FAILED_PRECONDITION", `it lies on ${shown(recorded)}, not on ${shown(parent)}`);
  }
  if (!isAsCreated(home, id, parent)) throw holdsChanges();
  withFolderAt(home, (folder) => {
    renameat2(folder, `${unfilledFolder}/${id}`, folder, `${fillingFolder}/${id}`);
    withFolder(folder, fillingFolder, fsync);
  });
}

/** Somebody may have written through the path that `get` gave; a walk of both trees tells, and is less than `create` cost. */
function isAsCreated(home: string, id: string, parent: string | undefined): boolean {
  return withFolderAt(layerPath(home, id), (layer) => {
    if (parent === undefined) return withFolder(layer, ".", readNames).length === 0;
    return withFolderAt(layerPath(home, parent), (below) => compareTrees(layer, below).length === 0);
  });
}

function holdsChanges(): CleatError {
  return new CleatError("FAILED_PRECONDITION", "it holds changes already; a diff is applied to a new layer");
}

function endFilling(home: string, id: string, durability: Durability): void {
  unlinkSync(`${home}/${fillingFolder}/${id}`);
  if (durability !== "none") withFolderAt(`${home}/${fillingFolder}`, fsync);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** One layer that cannot be made anew now, on a full disk say, must not keep all others from being served; it stays marked. */
function resetIfPossible(home: string, layer: Parameters<typeof resetLayer>[1]): void {
  try {
    resetLayer(home, layer);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Removes what a crash left and makes layers whose diff was being applied anew from their parents. */
export function recoverStore(home: string, rootUid: number, rootGid: number): void {
  sweep(home);
  for (const id of readdirSync(`${home}/${fillingFolder}`)) {
    const parent = readFileSync(`${home}/${fillingFolder}/${id}`, "utf8") || undefined;
    const isWhole = existsSync(layerPath(home, id)) && (parent === undefined || existsSync(layerPath(home, parent)));
    if (isWhole) resetIfPossible(home, { id, parent, rootUid, rootGid });
    else unlinkSync(`${home}/${fillingFolder}/${id}`);
  }
  for (const id of readdirSync(`${home}/${unfilledFolder}`)) {
    if (!existsSync(layerPath(home, id))) unlinkSync(`${home}/${unfilledFolder}/${id}`);
  }
}
