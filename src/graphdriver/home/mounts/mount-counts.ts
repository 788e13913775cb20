import { renameSync, writeFileSync } from "node:fs";
import { toCleatError } from "../../../errors/index.ts";
import { readIfThere } from "../records/read-if-there.ts";

/**
 * How many `get`s of each layer wait for their `put`. What a new start finds mounted counts as held once; counts above
 * one are written down, so that a plugin which was killed under a running engine goes on where it was.
 */
export interface MountCounts {
  /**
   * Counts one more; the new count.
   * @throws RESOURCE_EXHAUSTED, and counts nothing, when a count above one cannot be written down.
   */
  increment(id: string): number;
  /** Counts one less; the new count, 0 also where nothing was counted. */
  decrement(id: string): number;
  count(id: string): number;
  forget(id: string): void;
  /** The layers that are held. */
  held(): readonly string[];
}

export interface MountCountsOptions {
  /** The layers found mounted. */
  readonly adopted: readonly string[];
  /** Where counts above one are kept. Layout, version 1: `{"version": 1, "counts": {"<id>": 2}}`. */
  readonly file: string;
  /** Whether what the file says still holds: the engine that counted is running still. */
  readonly resume: boolean;
}

export function createMountCounts({ adopted, file, resume }: MountCountsOptions): MountCounts {
  const recorded = resume ? readCounts(file) : new Map<string, number>();
  const counts = new Map(adopted.map((id) => [id, recorded.get(id) ?? 1]));
  const count = (id: string): number => counts.get(id) ?? 0;

  function set(id: string, wanted: number): number {
    const before = count(id);
    if (wanted > 0) counts.set(id, wanted);
    else counts.delete(id);
    if (before > 1 || wanted > 1) save(id, before, wanted);
    return wanted;
  }

  /**
   * On a full disk no layer is held once more, for the next process would let go of it too early. What is held less is
   * given back all the same, since that is how room is made; the next process holds it longer.
   */
  function save(id: string, before: number, wanted: number): void {
    try {
      writeCounts(file, counts);
    } catch (error) {
      const cleat = toCleatError(error, `mounts of layer "${id}" cannot be counted`);
      if (wanted < before && cleat.code === "RESOURCE_EXHAUSTED") return;
      if (wanted > before) counts.set(id, before);
      throw cleat;
    }
  }

  return {
    count,
    increment: (id) => set(id, count(id) + 1),
    decrement: (id) => set(id, Math.max(count(id) - 1, 0)),
    forget: (id) => void set(id, 0),
    held: () => [...counts.keys()],
  };
}

/**
 * Mounts do not survive a machine that goes down, so nothing is synced; the rename keeps the file whole for the next
 * process.
 */
function writeCounts(file: string, all: ReadonlyMap<string, number>): void {
  const counts = Object.fromEntries([...all].filter(([, count]) => count > 1));
  writeFileSync(`${file}.new`, JSON.stringify({ version: 1, counts }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * A file that is missing or damaged says nothing: each layer found mounted then counts once. What cannot be read now is
 * an error: by counts that are too low a layer would be unmounted under whoever holds it.
 */
function readCounts(file: string): ReadonlyMap<string, number> {
  const text = readIfThere(file) ?? "";
  try {
    const saved = JSON.parse(text) as { version?: unknown; counts?: Record<string, unknown> };
    const counts = Object.entries(saved.version === 1 ? (saved.counts ?? {}) : {});
    return new Map(counts.filter((entry): entry is [string, number] => isCount(entry[1])));
  } catch {
    return new Map();
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
