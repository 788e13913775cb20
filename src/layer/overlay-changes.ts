/**
 * What an overlay layer changes, read from its diff folder alone: only names that the layer holds are looked up below.
 * Equals `compareTrees` of the two mounted trees, at a cost of the diff instead of the whole.
 *
 * Right as long as the layer was written without `redirect_dir` and `metacopy`, which keep a renamed folder's or a changed
 * file's content elsewhere; a layer that was is refused. Source: `overlayfs.rst` v6.1.
 */
import { CleatError } from "../errors/index.ts";
import {
  fgetxattr,
  type FileStatus,
  isDirectory,
  isRegularFile,
  lgetxattr,
  procPath,
  readNames,
  statIfThere,
} from "../syscall/index.ts";
import { isYes } from "./archive-tree.ts";
import { type ChangeList, createChangeList, statusDiffers, type TreeChange } from "./change.ts";
import { fileCapabilitiesDiffer } from "./compare-trees.ts";
import { joinPath, showBytes } from "./entry-name.ts";
import { isOverlayWhiteout } from "./entry-type.ts";
import type { OverlayPrefix } from "./whiteout.ts";
import { withFolder } from "./with-folder.ts";

/** The folders of lower layers that show through at one path, uppermost first, open. */
type Lowers = readonly number[];

/** What the lower layers show under one name. */
interface LowerEntry {
  readonly status: FileStatus;
  /** The layer's folder that holds it. */
  readonly holder: number;
}

/** Blocks; runs on a worker. */
export function overlayChanges(upper: number, lowers: Lowers, attributePrefix: OverlayPrefix): TreeChange[] {
  const changes = createChangeList();
  compareFolder(upper, lowers, "", false, { changes, attributePrefix });
  return changes.sorted();
}

interface Context {
  readonly changes: ChangeList;
  readonly attributePrefix: OverlayPrefix;
}

/** `isCovered` where a folder above is opaque: the kernel does not mark again what is made in one. */
function compareFolder(upper: number, lowers: Lowers, path: string, isCovered: boolean, context: Context): void {
  const { changes, attributePrefix } = context;
  if (fgetxattr(upper, `${attributePrefix}overlay.redirect`) !== undefined) throw notReadable(path, "redirect_dir");
  // The kernel asks folders for the mark, and not the root: what a layer of Docker's own driver has there is without effect.
  const hidesLowers = isCovered || (path !== "" && isOpaque(upper, context));
  const names = readNames(upper);
  for (const name of names) compareEntry(upper, lowers, name, joinPath(path, name), hidesLowers, context);
  if (lowers.length === 0 || !hidesLowers) return;
  const kept = new Set(names.map((name) => name.toString("latin1")));
  for (const name of visibleNames(lowers)) {
    if (!kept.has(name)) changes.add(joinPath(path, name), "deleted");
  }
}

function compareEntry(
  upper: number,
  lowers: Lowers,
  name: Buffer,
  path: string,
  isCovered: boolean,
  context: Context,
): void {
  const { changes } = context;
  const status = statIfThere(upper, name);
  if (status === undefined) return;
  const lower = lookUp(lowers, name);
  if (isOverlayWhiteout(status)) {
    if (lower !== undefined) changes.add(path, "deleted");
    return;
  }
  if (lower === undefined) changes.add(path, "added");
  else if (isModified(upper, name, status, lower)) changes.add(path, "modified");
  if (!isDirectory(status)) {
    refuseMetacopy(upper, name, status, path, context);
    return;
  }
  changes.within(path, () => {
    withFolder(upper, name, (child) => {
      withLowerFolders(lowers, name, context, (below) => compareFolder(child, below, path, isCovered, context));
    });
  });
}

function isModified(upper: number, name: Buffer, status: FileStatus, lower: LowerEntry): boolean {
  if (statusDiffers(lower.status, status)) return true;
  return isRegularFile(status) && fileCapabilitiesDiffer(upper, lower.holder, name);
}

function lookUp(lowers: Lowers, name: Buffer): LowerEntry | undefined {
  for (const holder of lowers) {
    const status = statIfThere(holder, name);
    if (status !== undefined) return isOverlayWhiteout(status) ? undefined : { status, holder };
  }
  return undefined;
}

/** Opens, below each lower, the folder `name`, down to the first that hides the rest, and closes them after `visit`. */
function withLowerFolders(lowers: Lowers, name: Buffer, context: Context, visit: (below: Lowers) => void): void {
  const [first, ...rest] = lowers;
  if (first === undefined) return visit([]);
  const status = statIfThere(first, name);
  if (status === undefined) return withLowerFolders(rest, name, context, visit);
  if (!isDirectory(status)) return visit([]);
  return withFolder(first, name, (folder) => {
    if (isOpaque(folder, context)) visit([folder]);
    else withLowerFolders(rest, name, context, (below) => visit([folder, ...below]));
  });
}

function visibleNames(lowers: Lowers): Set<string> {
  const visible = new Set<string>();
  const decided = new Set<string>();
  for (const lower of lowers) {
    // A second look: the descriptor's position may be anywhere, so the folder is opened anew.
    withFolder(lower, ".", (folder) => {
      for (const name of readNames(folder)) {
        const text = name.toString("latin1");
        if (decided.has(text)) continue;
        decided.add(text);
        const status = statIfThere(folder, name);
        if (status !== undefined && !isOverlayWhiteout(status)) visible.add(text);
      }
    });
  }
  return visible;
}

function isOpaque(folder: number, { attributePrefix }: Context): boolean {
  return isYes(fgetxattr(folder, `${attributePrefix}overlay.opaque`));
}

function refuseMetacopy(upper: number, name: Buffer, status: FileStatus, path: string, context: Context): void {
  if (!isRegularFile(status)) return;
  const attribute = `${context.attributePrefix}overlay.metacopy`;
  if (lgetxattr(procPath(upper, name), attribute) !== undefined) throw notReadable(path, "metacopy");
}

function notReadable(path: string, feature: string): CleatError {
  return new CleatError(
    "FAILED_PRECONDITION",
    `file ${showBytes(path)} was written with overlay's ${feature}, which a diff cannot follow`,
  );
}
