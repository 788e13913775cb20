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

/** What V8 takes for one of them. */
const markBytes = 64;

interface Mark {
  below: number;
  itself: number;
}

export function createMarkedPaths(held: HeldPaths): MarkedPaths {
  const marks = new Map<string, Mark>();
  let moment = 0;

  /** Asks whichever are fewer, the folders on the way or the marks. */
  function isVoid(path: string, since: number): boolean {
    if (moment === since) return false;
    if ((marks.get(path)?.itself ?? 0) > since) return true;
    if (path !== "" && (marks.get("")?.below ?? 0) > since) return true;
    if (marks.size < maxCompared) {
      for (const [marked, { below }] of marks) {
        if (below > since && path[marked.length] === "/" && path.startsWith(marked)) return true;
      }
      return false;
    }
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if ((marks.get(path.slice(0, at))?.below ?? 0) > since) return true;
    }
    return false;
  }

  return {
    mark(path, itself) {
      const known = marks.get(path);
      if (known === undefined) held.hold(path, markBytes);
      const mark = known ?? { below: 0, itself: 0 };
      mark.below = ++moment;
      if (itself) mark.itself = moment;
      marks.set(path, mark);
    },
    now: () => moment,
    isVoid,
  };
}

const maxCompared = 8;
