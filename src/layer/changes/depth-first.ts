import { isDirectory } from "../../syscall/index.ts";
import { joinPath } from "../entry/entry-name.ts";
import { hasFurtherNames, type LayerChange } from "./layer-change.ts";
import { type NameOfBoth, namesOfBoth } from "./names-of-both.ts";
import { createTrails, currentPair, enter, type IsKnownSame, leave, lookAtPair } from "./tree-pair.ts";

/**
 * As `findChanges`, in the order in which containerd walks two trees. Without `older`, everything in `newer` is added.
 * Blocks; runs on a worker. Memory is the names of the folders on the way to where the walk stands.
 *
 * Source of the order: containerd/continuity v0.3.0 `fs/diff.go` `doubleWalkDiff`, `fs/path.go` `directoryCompare`. It
 * takes files for the same whose sizes and times are, unless those are whole seconds; here they are read.
 * @throws OUT_OF_RANGE, ABORTED as `findChanges`.
 */
export function* findChangesDepthFirst(
  newer: number,
  older: number | undefined,
  isKnownSame: IsKnownSame = () => false,
): Generator<LayerChange> {
  const trails = createTrails(newer, older);
  const openFrame = (path: string, isInOlder: boolean): Frame => ({
    path,
    isInOlder,
    names: namesOfBoth(currentPair(trails, isInOlder)),
  });
  const frames: Frame[] = [openFrame("", older !== undefined)];
  try {
    for (let frame = frames[0]; frame !== undefined; frame = frames.at(-1)) {
      const { done, value: name } = frame.names.next() as IteratorResult<NameOfBoth, undefined>;
      if (done === true) {
        frames.pop();
        if (frames.length > 0) leave(trails, frame.isInOlder);
        continue;
      }
      const path = joinPath(frame.path, name.name);
      if (!name.isNew) {
        yield { path, kind: "deleted" };
        continue;
      }
      const folders = currentPair(trails, frame.isInOlder);
      const pair = lookAtPair(name, folders, path, isKnownSame);
      if (pair === undefined) continue;
      const { status, before, isChanged } = pair;
      const isFolder = isDirectory(status);
      const met = { path, folder: folders.newer, base: name.name, status };
      if (isChanged) yield { ...met, kind: before === undefined ? "added" : "modified" };
      else if (hasFurtherNames(status, isFolder)) yield { ...met, kind: "same" };
      if (!isFolder) continue;
      const isInOlder = before !== undefined && isDirectory(before);
      enter(trails, name.name, isInOlder);
      frames.push(openFrame(path, isInOlder));
    }
  } finally {
    trails.newer.close();
    trails.older?.close();
  }
}

/** A folder that the walk is in. */
interface Frame {
  readonly path: string;
  /** Whether both trees have it. */
  readonly isInOlder: boolean;
  readonly names: Generator<NameOfBoth>;
}
