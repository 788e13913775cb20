/** How many `get`s of each layer wait for their `put`. Lives in memory: a restart starts anew with what it finds mounted. */
export interface MountCounts {
  /** Counts one more; the new count. */
  increment(id: string): number;
  /** Counts one less; the new count, 0 also where nothing was counted. */
  decrement(id: string): number;
  count(id: string): number;
  forget(id: string): void;
  /** The layers that are held. */
  held(): readonly string[];
}

/** `adopted` are the layers found mounted; each counts as held once. */
export function createMountCounts(adopted: readonly string[] = []): MountCounts {
  const counts = new Map(adopted.map((id) => [id, 1]));
  const count = (id: string): number => counts.get(id) ?? 0;
  return {
    count,
    increment(id) {
      counts.set(id, count(id) + 1);
      return count(id);
    },
    decrement(id) {
      if (count(id) > 1) counts.set(id, count(id) - 1);
      else counts.delete(id);
      return count(id);
    },
    forget: (id) => void counts.delete(id),
    held: () => [...counts.keys()],
  };
}
