import { CleatError } from "../../errors/index.ts";

/** Ids `containerId … containerId + size - 1` of an archive are `hostId …` on disk. */
export interface IdRange {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

export interface IdMap {
  /** @throws INVALID_ARGUMENT when no range holds the id. */
  toHost(id: number): number;
  toContainer(id: number): number;
  /** What the archive's root, id 0, is on disk. */
  readonly hostRoot: number;
}

const identity: IdMap = { toHost: (id) => id, toContainer: (id) => id, hostRoot: 0 };

/**
 * Without ranges ids stay as they are. `kind` is for messages: "uid" or "gid".
 * @throws INVALID_ARGUMENT when a range is empty or ends beyond the highest id, or none holds id 0.
 */
export function createIdMap(ranges: readonly IdRange[], kind: "uid" | "gid"): IdMap {
  if (ranges.length === 0) return identity;
  for (const range of ranges) checkRange(range, kind);
  const unmapped = (id: number, side: string): CleatError =>
    new CleatError("INVALID_ARGUMENT", `${kind} ${id} ${side} is in none of the ${ranges.length} mapped ranges`);

  function toHost(id: number): number {
    const range = ranges.find(({ containerId, size }) => id >= containerId && id < containerId + size);
    if (range === undefined) throw unmapped(id, "of the archive");
    return range.hostId + (id - range.containerId);
  }

  function toContainer(id: number): number {
    const range = ranges.find(({ hostId, size }) => id >= hostId && id < hostId + size);
    if (range === undefined) throw unmapped(id, "on disk");
    return range.containerId + (id - range.hostId);
  }

  return { toHost, toContainer, hostRoot: toHost(0) };
}

/** The highest id; 2³² − 1 means "leave it" to chown(2), so that a file would stay root's. */
export const maxId = 2 ** 32 - 2;

function checkRange({ containerId, hostId, size }: IdRange, kind: string): void {
  const isInRange = (first: number): boolean => Number.isInteger(first) && first >= 0 && first + size - 1 <= maxId;
  if (Number.isInteger(size) && size > 0 && isInRange(containerId) && isInRange(hostId)) return;
  throw new CleatError(
    "INVALID_ARGUMENT",
    `${kind} range of ${size} ids from ${containerId} at ${hostId} is empty or beyond ${maxId}`,
  );
}

/** Both maps of one user namespace, as they are handed to a worker: plain data. */
export interface IdRanges {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

export interface IdMaps {
  readonly uids: IdMap;
  readonly gids: IdMap;
}

export function createIdMaps({ uids, gids }: IdRanges): IdMaps {
  return { uids: createIdMap(uids, "uid"), gids: createIdMap(gids, "gid") };
}
