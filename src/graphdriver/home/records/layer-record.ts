/**
 * What a driver that keeps layers as whole trees writes down of each:
 *
 *     <home>/.cleat/layers/<id>    {"version": 1, "parent": "<id>" or null, "source": "<uuid>" or null,
 *                                   "copied": {"from": [<seconds>, <nanoseconds>], "to": […]} or null}
 *
 * `copied` is when the layer was made from its parent, as the file system itself stamped the record before and after. A
 * file was not touched since by any program when its inode's time of change, which none can set, lies in between: where
 * no folder above it was moved either, it is what it was in the parent, and need not be read. It is null where the file
 * system's stamps cannot be trusted with that. `source` is what the kernel calls the parent, where it has a name for
 * it.
 *
 * Whoever restores a store from files gives each a later time of change, and whoever made a layer without Cleat left no
 * record: then contents are compared. A clock that was set back tells lies only to who writes in the very moment, told
 * by it, in which the copy was made, and gives the old size and time back besides.
 *
 * Durable as the layer is, but for that of a snapshot, of which the kernel tells the same. One that is damaged counts
 * as none.
 */
import {
  closeSync,
  fchmodSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { isSystemError, SchemaError } from "../../../errors/index.ts";
import { fileSystemName, type FileStatus, fstat, isThere } from "../../../syscall/index.ts";
import { ownFolder, stagingPath, uniqueName } from "../folders/home.ts";
import { defineRecord, readJsonRecord } from "./json-record.ts";

export const layerRecordsFolder = `${ownFolder}/layers`;

export interface LayerRecord {
  readonly version: 1;
  readonly parent: string | null;
  readonly source: string | null;
  readonly copied: { readonly from: Stamp; readonly to: Stamp } | null;
}

/** When an inode was last changed, as its file system tells: seconds, nanoseconds. */
export type Stamp = readonly [number, number];

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === "string";
const isStamp = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger);
const isPeriod = (value: unknown): boolean => {
  const { from, to } = Object(value) as { from?: unknown; to?: unknown };
  return isStamp(from) && isStamp(to);
};

const layerRecord = defineRecord<LayerRecord>({
  version: (value) => value === 1,
  parent: isTextOrNull,
  source: isTextOrNull,
  copied: (value) => value === null || isPeriod(value),
});

function layerRecordPath(home: string, id: string): string {
  return `${home}/${layerRecordsFolder}/${id}`;
}

/** `undefined` where there is none, or none that can be read. */
export function readLayerRecord(home: string, id: string): LayerRecord | undefined {
  try {
    return readJsonRecord(layerRecordPath(home, id), layerRecord, `record of layer "${id}"`);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

/** A record of a layer that is being made. */
export interface StagedLayerRecord {
  /** Tells that the tree is made, and puts the record in its place; the layer's own rename comes after. */
  place(id: string, parent: string | undefined, source?: string): void;
  /** Gives up what was not placed. Where that fails, which is no failure of the layer's, the next opening sweeps it. */
  discard(): void;
}

/** To be called before anything of the parent is copied. */
export function stageLayerRecord(home: string): StagedLayerRecord {
  const staged = `${home}/${stagingPath(uniqueName())}`;
  const file = openSync(staged, "wx", 0o600);
  let isPlaced = false;
  const discard = (): void => {
    unlessSystemError(() => closeSync(file));
    if (!isPlaced) unlessSystemError(() => unlinkSync(staged));
  };
  let isTrusted: boolean;
  let from: Stamp;
  try {
    isTrusted = trustedFileSystems.includes(fileSystemName(file));
    from = changeTime(fstat(file));
  } catch (error) {
    discard();
    throw error;
  }
  return {
    place(id, parent, source) {
      fchmodSync(file, 0o600); // which the kernel stamps, though it changes nothing
      const to = changeTime(fstat(file));
      const record: LayerRecord = {
        version: 1,
        parent: parent ?? null,
        source: source ?? null,
        copied: isTrusted && parent !== undefined ? { from, to } : null,
      };
      writeFileSync(file, `${JSON.stringify(record)}\n`);
      mkdirSync(`${home}/${layerRecordsFolder}`, { recursive: true, mode: 0o700 });
      renameSync(staged, layerRecordPath(home, id));
      isPlaced = true;
    },
    discard,
  };
}

function unlessSystemError(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/**
 * Tells once more that the tree is made, now that its rename has marked its root as changed: for drivers that look for
 * folders that were moved since. The layer must still be its maker's alone. On a disk too full for that the first
 * record stays, by which more files are compared.
 */
export function restampLayerRecord(home: string, id: string): void {
  const record = readLayerRecord(home, id);
  if (record?.copied == null) return;
  const staged = `${home}/${stagingPath(uniqueName())}`;
  try {
    const file = openSync(staged, "wx", 0o600);
    try {
      const copied = { ...record.copied, to: changeTime(fstat(file)) };
      writeFileSync(file, `${JSON.stringify({ ...record, copied })}\n`);
    } finally {
      closeSync(file);
    }
    renameSync(staged, layerRecordPath(home, id));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    rmSync(staged, { force: true });
  }
}

/**
 * Those on which whatever changes a file changes its inode's time of change, by this kernel's clock, writes through a
 * mapping too. Not tmpfs, which overlooks those, nor what another machine or a program serves.
 */
const trustedFileSystems: readonly string[] = ["extfs", "xfs", "btrfs", "f2fs"];

/** On a disk too full to forget, the next to open the home does. */
export function forgetLayerRecord(home: string, id: string): void {
  unlessSystemError(() => unlinkSync(layerRecordPath(home, id)));
}

/** Removes the records of layers that never came to be or are gone, as `isLayerGone` knows. */
export function sweepLayerRecords(home: string, isLayerGone: (id: string) => boolean): void {
  if (!isThere(`${home}/${layerRecordsFolder}`)) return;
  for (const id of readdirSync(`${home}/${layerRecordsFolder}`)) if (isLayerGone(id)) forgetLayerRecord(home, id);
}

export function changeTime({ ctimeSeconds, ctimeNanoseconds }: FileStatus): Stamp {
  return [ctimeSeconds, ctimeNanoseconds];
}

/** Strictly: what bears the same stamp may have come before or after. */
export function isBefore([seconds, nanoseconds]: Stamp, [otherSeconds, otherNanoseconds]: Stamp): boolean {
  return seconds < otherSeconds || (seconds === otherSeconds && nanoseconds < otherNanoseconds);
}
