/**
 * What an overlay layer changes, read from its diff folder alone: only names that the layer holds are looked up below.
 * Equals `compareTrees` of the two mounted trees, at a cost of the diff instead of the whole.
 *
 * Right as long as the layer, and what it changes of those below, was written without `redirect_dir` and `metacopy`,
 * which keep a renamed folder's or a changed file's content elsewhere; else it is refused. Source: `overlayfs.rst`
 * v6.1.
 */
import { CleatError } from "../../errors/index.ts";
import {
  fgetxattr,
  type FileStatus,
  isDirectory,
  isRegularFile,
  lgetxattr,
  procPath,
  readNames,
  statIfThere,
} from "../../syscall/index.ts";
import { alikeFilesDiffer } from "./alike-files.ts";
import { createChangeList, statusDiffers, type TreeChange } from "./change.ts";
import { joinPath, showBytes } from "../entry/entry-name.ts";
import { isOverlayWhiteout } from "../entry/entry-type.ts";
import { createFolderTrail, type FolderTrail } from "../tree/folder-trail.ts";
import { hasFurtherNames, type LayerChange } from "./layer-change.ts";
import { isOpaqueFolder, type Lowers, namesShown } from "../lowers/lower-folder.ts";
import { type Covered, findCovered } from "../lowers/lower-entries.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";

/**
 * `lowers` are the diff folders of the layers below, absolute, the uppermost first. Holds a few folders open, however
 * many layers there are and however deep they go. Blocks; runs on a worker.
 */
export function overlayChanges(upper: number, lowers: Lowers, attributePrefix: OverlayPrefix): TreeChange[] {
  const changes = createChangeList();
  for (const { path, kind } of findOverlayChanges(upper, lowers, attributePrefix)) {
    if (kind !== "same") changes.add(path, kind);
  }
  return changes.sorted();
}

/** The same while it is found, with memory for the names of the folders on the way. */
export function* findOverlayChanges(
  upper: number,
  lowers: Lowers,
  attributePrefix: OverlayPrefix,
): Generator<LayerChange> {
  const trail = createFolderTrail(upper);
  try {
    yield* compareFolder(trail, lowers, "", false, attributePrefix);
  } finally {
    trail.close();
  }
}

/** `isCovered` where a folder above is opaque: the kernel does not mark again what is made in one. */
function* compareFolder(
  trail: FolderTrail,
  lowers: Lowers,
  path: string,
  isCovered: boolean,
  attributePrefix: OverlayPrefix,
): Generator<LayerChange> {
  const upper = trail.current();
  refuseRedirect(upper, path, attributePrefix);
  // The kernel asks folders for the mark, and not the root: what a layer of Docker's own driver has there is without
  // effect.
  const hidesLowers = isCovered || (path !== "" && isOpaqueFolder(upper, attributePrefix));
  const names = readNames(upper);
  const hidden = hidesLowers ? hiddenNames(lowers, path, names) : [];
  let passed = 0;
  for (let at = 0; at < names.length; at += namesAtOnce) {
    for (const entry of lookUp(trail.current(), lowers, path, names.slice(at, at + namesAtOnce), attributePrefix)) {
      const name = entry.name.toString("latin1");
      for (; passed < hidden.length && (hidden[passed] as string) < name; passed++) {
        yield { path: joinPath(path, hidden[passed] as string), kind: "deleted" };
      }
      yield* compareEntry(trail, entry, joinPath(path, entry.name), hidesLowers, attributePrefix);
    }
  }
  for (const name of hidden.slice(passed)) yield { path: joinPath(path, name), kind: "deleted" };
}

/** What an opaque folder hides and has nothing else in the place of, as byte strings in order. */
function hiddenNames(lowers: Lowers, path: string, names: readonly Buffer[]): string[] {
  if (lowers.length === 0) return [];
  const shown = namesShown(lowers, path);
  for (const name of names) shown.delete(name.toString("latin1"));
  return [...shown].toSorted((a, b) => (a < b ? -1 : 1));
}

/** Looked up together, each layer's folder opened once for all of them; bounded, as a folder may hold millions. */
const namesAtOnce = 1000;

function lookUp(
  upper: number,
  lowers: Lowers,
  path: string,
  names: readonly Buffer[],
  attributePrefix: OverlayPrefix,
): readonly Covered[] {
  const found = names.flatMap((name) => {
    const status = statIfThere(upper, name);
    return status === undefined ? [] : [{ name, status }];
  });
  return findCovered(lowers, path, found, {
    attributePrefix,
    isModified: (name, status, lower) => {
      if (statusDiffers(lower.status, status)) return true;
      if (isDirectory(status)) return false;
      refuseMetacopy(lower.holder, name, status, joinPath(path, name), attributePrefix);
      return alikeFilesDiffer(upper, lower.holder, name, status);
    },
    assertInPlace: (folder, name) => refuseRedirect(folder, joinPath(path, name), attributePrefix),
  });
}

function* compareEntry(
  trail: FolderTrail,
  entry: Covered,
  path: string,
  isCovered: boolean,
  attributePrefix: OverlayPrefix,
): Generator<LayerChange> {
  const { name, status, below, lowers } = entry;
  if (isOverlayWhiteout(status)) {
    if (below !== "none") yield { path, kind: "deleted" };
    return;
  }
  const isFolder = isDirectory(status);
  if (!isFolder) refuseMetacopy(trail.current(), name, status, path, attributePrefix);
  const met = { path, folder: trail.current(), base: name, status };
  if (below !== "same") yield { ...met, kind: below === "none" ? "added" : "modified" };
  else if (hasFurtherNames(status, isFolder)) yield { ...met, kind: "same" };
  if (!isFolder) return;
  trail.enter(name);
  yield* compareFolder(trail, lowers, path, isCovered, attributePrefix);
  trail.leave();
}

/** Of a folder of the layer, or of one below, for then what is hidden there, and shown, is another's. */
function refuseRedirect(folder: number, path: string, attributePrefix: OverlayPrefix): void {
  if (fgetxattr(folder, `${attributePrefix}overlay.redirect`) !== undefined) throw toFeatureError(path, "redirect_dir");
}

function refuseMetacopy(upper: number, name: Buffer, status: FileStatus, path: string, prefix: OverlayPrefix): void {
  if (!isRegularFile(status)) return;
  const attribute = `${prefix}overlay.metacopy`;
  if (lgetxattr(procPath(upper, name), attribute) !== undefined) throw toFeatureError(path, "metacopy");
}

function toFeatureError(path: string, feature: string): CleatError {
  return new CleatError(
    "FAILED_PRECONDITION",
    `file ${showBytes(path)} was written with overlay's ${feature}, which a diff cannot follow`,
  );
}
