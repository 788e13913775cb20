import { ownFolder } from "../home/folders/home.ts";
import { parseObject, readRecordAt } from "./store-entries.ts";

/** Relative to the home. */
export const countsFile = `${ownFolder}/counts.json`;

/**
 * What `.cleat/counts.json` says (`../home/mounts/mount-counts.ts`). `damaged` holds what is not a count;
 * of a file that is not a record of version 1 there is a problem and nothing else.
 */
export interface RecordedCounts {
  readonly counts: ReadonlyMap<string, number>;
  readonly damaged: readonly string[];
  readonly problem: string | undefined;
  /** The version of a record that another Cleat wrote. */
  readonly otherVersion: string | undefined;
}

const none: RecordedCounts = { counts: new Map(), damaged: [], problem: undefined, otherVersion: undefined };

/** More than processes could ever hold; beyond, somebody made it up. */
const maxCount = 2 ** 31;

export function readRecordedCounts(home: number): RecordedCounts {
  const text = readRecordAt(home, countsFile);
  if (text === undefined) return none;
  const value = parseObject(text);
  if (value === undefined) return { ...none, problem: "is not JSON" };
  const { version, counts } = value;
  if (version !== 1) return { ...none, otherVersion: JSON.stringify(version) ?? "none" };
  const entries = typeof counts === "object" && counts !== null ? Object.entries(counts) : undefined;
  if (entries === undefined) return { ...none, problem: "has no counts" };
  const isCount = (count: unknown): count is number => Number.isInteger(count) && Number(count) > 0;
  const sound = entries.filter((entry): entry is [string, number] => isCount(entry[1]) && entry[1] < maxCount);
  const names = new Set(sound.map(([id]) => id));
  return { ...none, counts: new Map(sound), damaged: entries.map(([id]) => id).filter((id) => !names.has(id)) };
}
