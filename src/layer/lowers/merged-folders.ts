import { isSystemError, SystemError } from "../../errors/index.ts";
import { close, errnos, lastErrno, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, tryOpenat } from "../../syscall/index.ts";
import { openConfinedFolder } from "../tree/confine.ts";
import { createPathTree } from "../tree/path-tree.ts";
import { isOpaqueFolder } from "./lower-folder.ts";
import type { LowerFolders, LowerLevel } from "./lower-folders.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";

/** Which folders of a layer in the making are merged with folders of the layers below, which it may hide. */
export interface MergedFolders {
  /**
   * Whether a layer is seen through the layer's own folder at a clean path without symlinks, or may be, where folders
   * were redirected.
   */
  isMerged(path: string): boolean;
  /** What is seen through folders that the layer does not have yet: at each step from that at `path` down `names`. */
  below(path: string, names: readonly string[]): LowerLevel[];
  /** Everything that the layers below show is hidden: what lies at the root, too. */
  hideAll(): void;
  /** Is told when the folder at a path became opaque, or another took the place of what was there. */
  changed(path: string): void;
}

type Seen = Pick<LowerLevel, "shown" | "maybeMore">;

/**
 * What is seen through folders is kept, to be asked for again by whoever fills one folder after the other: so many as a
 * hundred of the deepest paths have on their way, and take some 64 MiB.
 */
const maxRemembered = 2 ** 18;

export function createMergedFolders(root: number, lowers: LowerFolders, prefix: OverlayPrefix): MergedFolders {
  const remembered = createPathTree<Seen>();
  let count = 0;
  let seenAtRoot: Seen = { shown: lowers.all, maybeMore: false };

  function lookAt(path: string): Seen {
    let known = seenAtRoot;
    let knownEnd = 0;
    remembered.along(path, (seen, end) => {
      known = seen;
      knownEnd = end;
      return false;
    });
    const start = path.slice(0, knownEnd);
    // What shows nothing shows nothing further down.
    if (start === path || (known.shown.length === 0 && !known.maybeMore)) return known;
    const names = path.slice(start === "" ? 0 : start.length + 1).split("/");
    const covered = firstCover(start, names);
    const levels = lowers.follow(known.shown, start, names.slice(0, covered), false);
    const steps = names.slice(0, covered + 1).map((_, index): Seen => {
      const { shown, maybeMore } = levels[index] ?? { shown: [], maybeMore: false };
      return { shown, maybeMore: index < covered && (maybeMore || known.maybeMore) };
    });
    if (count >= maxRemembered) {
      remembered.clear();
      count = 0;
    }
    const way = [...(start === "" ? [] : [start]), ...names.slice(0, steps.length)];
    count += remembered.setLast(way.join("/"), steps);
    return steps.at(-1) as Seen;
  }

  /** How many steps it takes from `from` down `names` to what the layer has itself and hides what lies below with. */
  function firstCover(from: string, names: readonly string[]): number {
    let here = openOwn(from);
    if (here === undefined) return names.length;
    try {
      for (const [index, name] of names.entries()) {
        const child = tryOpenat(here, Buffer.from(name, "latin1"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (child < 0) return isGone(lastErrno(), name) ? names.length : index;
        close(here);
        here = child;
        if (isOpaqueFolder(here, prefix)) return index;
      }
      return names.length;
    } finally {
      close(here);
    }
  }

  /** Where the layer has something else, nothing is remembered to be seen. */
  function openOwn(path: string): number | undefined {
    try {
      return openConfinedFolder(root, Buffer.from(path, "latin1"));
    } catch (error) {
      if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  }

  return {
    isMerged(path) {
      const { shown, maybeMore } = lookAt(path);
      return maybeMore || shown.length > 0;
    },
    below(path, names) {
      const { shown, maybeMore } = lookAt(path);
      const levels = lowers.follow(shown, path, names, true);
      return levels.map((level, at) => {
        if (!maybeMore && !level.maybeMore) return level;
        const whole = [...(path === "" ? [] : [path]), ...names.slice(0, at + 1)].join("/");
        return { ...level, maybeMore: true, folder: level.folder ?? lowers.readRedirected(whole) };
      });
    },
    hideAll() {
      seenAtRoot = { shown: [], maybeMore: false };
      remembered.clear();
      count = 0;
    },
    changed: (path) => remembered.drop(path),
  };
}

/** Whether nothing has the name; something that is no folder has it otherwise. @throws what keeps from looking. */
function isGone(errno: number, name: string): boolean {
  if (errno === errnos.ENOENT) return true;
  if (errno === errnos.ENOTDIR || errno === errnos.ELOOP) return false;
  throw new SystemError(errno, "openat", Buffer.from(name, "latin1"));
}
