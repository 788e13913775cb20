import { watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";
import type { Interest } from "./interests.ts";

export interface FolderWatchers {
  /**
   * Watches these folders and no others; those that are not there are passed over. True when one is watched now that
   * was not before: what happened in it until now was not seen. Not to be called again before it has ended.
   * @throws RESOURCE_EXHAUSTED when the kernel grants no more watches.
   */
  follow(interests: ReadonlyMap<string, Interest>): Promise<boolean>;
  /** Stops watching, for good. May be called twice. */
  close(): void;
}

export interface FolderWatchersOptions {
  /** Something of interest may have happened. */
  onEvent(): void;
  /** A folder all of which is of interest may not be watched. */
  onUnreadable(folder: string, error: Error): void;
  /** Default inotify(7). */
  readonly watchFolder?: WatchFolder | undefined;
}

type WatchFolder = (
  folder: string,
  onEvent: (event: "rename" | "change", file: string | null) => void,
) => FolderWatcher;

interface FolderWatcher {
  on(event: "error", listener: (error: Error) => void): unknown;
  close(): void;
}

interface Watched {
  readonly watcher: FolderWatcher;
  /** Of the folder that is watched; `undefined` when that may have gone. Another may stand at its path. */
  folderId: string | undefined;
  interest: Interest;
}

/**
 * When the kernel's queue is full (16,384 events by default), it drops events, and libuv v1.46 does not tell. So many
 * in one turn of the event loop are a sign of that. Source: inotify(7), `max_queued_events`.
 */
const eventsOfAnOverflow = 4_096;

export function createFolderWatchers(options: FolderWatchersOptions): FolderWatchers {
  const { onEvent, onUnreadable, watchFolder = watch } = options;
  const watched = new Map<string, Watched>();
  let closed = false;
  let ignoredInThisTurn = 0;

  const drop = (folder: string) => {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  };

  const ignore = () => {
    if (ignoredInThisTurn === 0) setImmediate(() => (ignoredInThisTurn = 0));
    ignoredInThisTurn += 1;
    if (ignoredInThisTurn === eventsOfAnOverflow) onEvent();
  };

  const begin = (folder: string, folderId: string, interest: Interest) => {
    const self = basename(folder);
    const watcher = watchFolder(folder, (event, file) => {
      // Events of the folder itself, as of its end, have its own name for a file.
      if (event === "rename" && file === self) entry.folderId = undefined;
      const wanted = file === null || file === self || entry.interest === "all" || entry.interest.has(file);
      if (wanted) onEvent();
      else ignore();
    });
    const entry: Watched = { watcher, folderId, interest };
    watched.set(folder, entry);
    watcher.on("error", () => {
      entry.folderId = undefined;
      onEvent();
    });
  };

  return {
    async follow(interests) {
      const folders = await Promise.all(
        Array.from(interests, async ([folder, interest]) => ({ folder, interest, folderId: await idOf(folder) })),
      );
      if (closed) return false;
      for (const folder of watched.keys()) if (!interests.has(folder)) drop(folder);
      let grew = false;
      for (const { folder, interest, folderId } of folders) {
        const known = watched.get(folder);
        if (known !== undefined && folderId !== undefined && known.folderId === folderId) {
          known.interest = interest;
          continue;
        }
        drop(folder);
        if (folderId === undefined) continue;
        try {
          begin(folder, folderId, interest);
          grew = true;
        } catch (error) {
          if (isSystemError(error, "ENOENT", "ENOTDIR")) continue;
          if (!isSystemError(error, "EACCES", "EPERM")) throw toWatchError(error, folder);
          if (interest === "all") onUnreadable(folder, error);
        }
      }
      return grew;
    },
    close() {
      closed = true;
      for (const folder of watched.keys()) drop(folder);
    },
  };
}

/** Tells a folder from one that takes its place; `undefined` when there is none, or none that may be seen. */
async function idOf(folder: string): Promise<string | undefined> {
  try {
    const stats = await stat(folder, { bigint: true });
    return stats.isDirectory() ? `${stats.dev}:${stats.ino}:${stats.birthtimeNs}` : undefined;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function toWatchError(error: unknown, folder: string): CleatError {
  const subject = `folder "${folder}" cannot be watched`;
  const limit = limits[isSystemError(error) ? error.code : ""];
  if (limit === undefined) return toCleatError(error, subject);
  return new CleatError("RESOURCE_EXHAUSTED", `${subject}: the kernel grants no more; raise ${limit}`, {
    cause: error,
  });
}

/** Source: inotify_init(2), inotify_add_watch(2). */
const limits: Readonly<Record<string, string>> = {
  ENOSPC: "fs.inotify.max_user_watches",
  EMFILE: "fs.inotify.max_user_instances or the limit of open files",
};
