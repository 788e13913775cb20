import type { Locations } from "../../../transport/index.ts";
import type { FolderWatchers } from "./folder-watchers.ts";
import type { FoundPlugin, UnusablePlugin } from "../look-up/found-plugin.ts";
import { interestsOf } from "./interests.ts";
import { listNames } from "../look-up/list-names.ts";
import { lookUpAll } from "../look-up/look-up-all.ts";

/** Folders that come while others begin to be watched take a round each; more is left to the next scan. */
const maxRounds = 5;

export interface WatchedScan {
  readonly plugins: readonly (FoundPlugin | UnusablePlugin)[];
  /** False when something on which this depends may have changed unseen: scan again. */
  readonly settled: boolean;
}

/**
 * Scans, and has everything watched on which the outcome depends. A round counts when all of that was watched before it
 * began: what changes after it is an event.
 */
export async function scanWatched(
  locations: Locations,
  watchers: FolderWatchers,
  onUnreadable: (folder: string, error: Error) => void,
): Promise<WatchedScan> {
  for (let round = 1; ; round++) {
    const { names, nestedFolders } = await listNames(locations, onUnreadable);
    const plugins = await lookUpAll(locations, names);
    const folders = [...locations.sockets, ...locations.specs, ...nestedFolders];
    const settled = !(await watchers.follow(await interestsOf(folders, plugins)));
    if (settled || round === maxRounds) return { plugins, settled };
  }
}
