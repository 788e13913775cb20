import { createPathTree, pathNodeBytes } from "../../tree/path-tree.ts";
import type { HeldPaths } from "./held-paths.ts";

/**
 * Paths of folders at which something happened that makes void what was noted before of what lies there. To mark one is
 * one step, however much was noted: archives may replace a hundred thousand folders one by one.
 */
export interface MarkedPaths {
  /** Marks what lies below `path`, "" for all, and where `itself` says so the folder. */
  mark(path: string, itself: boolean): void;
  /** The moment, to be asked with later. */
  now(): number;
  /** Whether what was noted of `path` at the moment `since` is void. */
  isVoid(path: string, since: number): boolean;
}

interface Mark {
  below: number;
  itself: number;
}

export function createMarkedPaths(held: HeldPaths): MarkedPaths {
  const marks = createPathTree<Mark>();
  let moment = 0;

  return {
    mark(path, itself) {
      let mark = marks.get(path);
      if (mark === undefined) {
        mark = { below: 0, itself: 0 };
        held.hold(path, markBytes + marks.set(path, mark) * pathNodeBytes);
      }
      mark.below = ++moment;
      if (itself) mark.itself = moment;
    },
    now: () => moment,
    isVoid: (path, since) =>
      moment !== since && marks.along(path, ({ below, itself }, end) => (end < path.length ? below : itself) > since),
  };
}

/** What V8 takes for one of them. */
const markBytes = 64;
