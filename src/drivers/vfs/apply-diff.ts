/**
 * Applying a diff to a layer in place, all or nothing all the same. These functions run on workers, which they block.
 */
import { readdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { CleatError, quoteText, withSubject } from "../../errors/index.ts";
import {
  createIdMaps,
  removeTree,
  treesDiffer,
  type WhiteoutConvention,
  withFolder,
  withFolderAt,
} from "../../layer/index.ts";
import {
  AT_FDCWD,
  beginCommit,
  close,
  fsync,
  ignoreCancellation,
  isRegularFile,
  isThere,
  O_DIRECTORY,
  O_RDONLY,
  openPath,
  readNames,
  statIfThere,
  syncfs,
} from "../../syscall/index.ts";
import type { Ring, SyncRingReader } from "../../workers/index.ts";
import type { Durability } from "../../graphdriver/index.ts";
import {
  type AppliedDiff,
  applyArchive,
  isGone,
  type ApplyDiffOptions,
  layerIdPattern,
  readIfThere,
  readLayerRecord,
  removeIfPossible,
  sweep,
  sweepLayerRecords,
  stagingPath,
  takeBack,
  uniqueName,
  unpackDiff,
} from "../../graphdriver/job-kit.ts";
import { resetLayer, restoreLayer } from "./create-layer.ts";
import { withKnownSame } from "./known-same.ts";
import { exactDiffsFolder, exactFolder, fillingFolder, layerPath, unfilledFolder } from "./layout.ts";
import { moveMark } from "./move-mark.ts";

export interface ApplyDiffJobOptions extends ApplyDiffOptions {
  readonly squash: boolean;
  readonly userNamespace: boolean;
  /** Under which what was unpacked lies in the trash, where the diff could not be applied. */
  readonly trashName: string;
}

/**
 * Unpacks the archive in `ring` into a layer that was just created. That it is under way is written down first, so that
 * a crash is noticed at the next start.
 * @throws FAILED_PRECONDITION when the layer has its diff already, or lies on another parent.
 */
export function applyDiff(
  home: string,
  id: string,
  parent: string | undefined,
  ring: Ring,
  options: ApplyDiffJobOptions,
): Promise<AppliedDiff> {
  return applyArchive(ring, id, async (source) => {
    beginFilling(home, id, parent);
    try {
      const applied = await unpack(home, id, parent, source, options);
      beginCommit();
      endFilling(home, id, options.durability);
      return applied;
    } catch (error) {
      ignoreCancellation();
      source.leave(); // whoever sends need not wait while the parent is copied
      const { uids, gids } = createIdMaps(options.ids);
      const owner = { rootUid: uids.hostRoot, rootGid: gids.hostRoot };
      const { durability, trashName } = options;
      throw takeBack(error, () => {
        markFilling(home, id, parent);
        restoreLayer(home, { id, parent, ...owner, durable: durability !== "none", trashName });
      });
    }
  });
}

async function unpack(
  home: string,
  id: string,
  parent: string | undefined,
  source: SyncRingReader,
  { ids, durability, squash, userNamespace, exactDiffs, strictAttributes }: ApplyDiffJobOptions,
): Promise<AppliedDiff> {
  const syncFiles = durability === "file";
  const whiteouts: WhiteoutConvention = { kind: "delete" };
  const options = { whiteouts, ids, syncFiles, squash, userNamespace, strictAttributes };
  const tree = openPath(layerPath(home, id), O_RDONLY | O_DIRECTORY);
  try {
    const keep = exactDiffs ? { folder: `${home}/${exactFolder(id)}`, parent } : undefined;
    const applied = await unpackDiff(source, tree, options, keep);
    if (durability !== "none") syncfs(tree);
    return applied;
  } finally {
    close(tree);
  }
}

function beginFilling(home: string, id: string, parent: string | undefined): void {
  if (!isThere(layerPath(home, id))) throw new CleatError("NOT_FOUND", "it does not exist");
  const recorded = readMark(home, unfilledFolder, id);
  if (recorded === undefined) {
    throw holdsChanges();
  }
  if (recorded !== (parent ?? "")) {
    throw new CleatError("FAILED_PRECONDITION", `it lies on ${show(recorded)}, not on ${show(parent)}`);
  }
  if (!isAsCreated(home, id, parent)) throw holdsChanges();
  withFolderAt(home, (folder) => moveMark(folder, id, unfilledFolder, fillingFolder));
}

/**
 * Somebody may have written through the path that `get` gave; a walk of both trees tells, and is less than `create`
 * cost.
 */
function isAsCreated(home: string, id: string, parent: string | undefined): boolean {
  return withFolderAt(layerPath(home, id), (layer) => {
    if (parent === undefined) return withFolder(layer, ".", readNames).length === 0;
    return withFolderAt(layerPath(home, parent), (below) =>
      withKnownSame(
        { home, id, parent, newer: layer, older: below },
        (isKnownSame) => !treesDiffer(layer, below, isKnownSame),
      ),
    );
  });
}

function holdsChanges(): CleatError {
  return new CleatError("FAILED_PRECONDITION", "it holds changes already; a diff is applied to a new layer");
}

/**
 * Before anything is undone: what is emptied without a mark would be taken for whole. With it, `undoFilling` tries
 * again what cannot be undone now. It is gone already where what failed was to make that durable.
 */
function markFilling(home: string, id: string, parent: string | undefined): void {
  const mark = `${home}/${fillingFolder}/${id}`;
  if (isThere(mark)) return;
  const staged = `${home}/${stagingPath(uniqueName())}`;
  writeFileSync(staged, parent ?? "", { mode: 0o600, flush: true });
  renameSync(staged, mark);
}

/**
 * Makes a layer whose diff failed and was not undone what `create` made it. Not marked as such is success.
 * @throws FAILED_PRECONDITION when its parent is gone, DATA_LOSS when the mark does not tell which that is.
 */
export function undoFilling(home: string, id: string, rootUid: number, rootGid: number): void {
  const mark = `${home}/${fillingFolder}/${id}`;
  if (!isThere(mark)) return;
  if (!isThere(layerPath(home, id))) return withFolderAt(`${home}/${fillingFolder}`, (marks) => removeTree(marks, id));
  const subject = `layer "${id}" is half made, since its diff could not be applied`;
  const parent = parentInMark(home, id, subject);
  if (parent !== undefined && !isThere(layerPath(home, parent)))
    throw new CleatError("FAILED_PRECONDITION", `${subject}, and its parent "${parent}" is gone`);
  try {
    resetLayer(home, { id, parent, rootUid, rootGid });
  } catch (error) {
    throw withSubject(error, subject);
  }
}

/** @throws DATA_LOSS where the mark does not tell: made anew without its parent the layer would be empty. */
function parentInMark(home: string, id: string, subject: string): string | undefined {
  try {
    const recorded = readMark(home, fillingFolder, id) || undefined;
    const made = readLayerRecord(home, id);
    if (made === undefined || made.parent === (recorded ?? null)) return recorded;
    const said = `"${fillingFolder}/${id}" says that it lies on ${show(recorded)}`;
    throw new CleatError("DATA_LOSS", `${said}, and its record, on ${show(made.parent)}`);
  } catch (error) {
    throw withSubject(error, subject);
  }
}

/**
 * What a mark says of the layer's parent, empty for none; `undefined` where there is no mark.
 * @throws DATA_LOSS where something has its name that is no mark.
 */
function readMark(home: string, marks: string, id: string): string | undefined {
  const path = `${home}/${marks}/${id}`;
  const status = statIfThere(AT_FDCWD, path);
  if (status === undefined) return undefined;
  const text = isRegularFile(status) ? readIfThere(path) : "no file";
  if (text === undefined || text === "" || layerIdPattern.test(text)) return text;
  throw new CleatError("DATA_LOSS", `"${marks}/${id}" does not tell on what the layer lies: ${quoteText(text)}`);
}

function show(parent: string | null | undefined): string {
  return parent ? `layer "${parent}"` : "no layer";
}

function endFilling(home: string, id: string, durability: Durability): void {
  unlinkSync(`${home}/${fillingFolder}/${id}`);
  if (durability !== "none") withFolderAt(`${home}/${fillingFolder}`, fsync);
}

/**
 * Removes what a crash left. Layers whose diff was being applied stay marked: each is made anew before anybody sees it
 * (`undoFilling`), since to copy their parents would keep the store shut.
 */
export function sweepStore(home: string): void {
  sweep(home);
  sweepLayerRecords(home, (id) => isGone(layerPath(home, id)));
  withFolderAt(home, (folder) => {
    for (const marks of [fillingFolder, unfilledFolder, exactDiffsFolder]) {
      for (const id of readdirSync(`${home}/${marks}`)) {
        if (isGone(layerPath(home, id))) removeIfPossible(removeTree, folder, `${marks}/${id}`);
      }
    }
  });
}
