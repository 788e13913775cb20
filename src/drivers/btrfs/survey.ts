import { isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { fstat, isSubvolume, statIfThere, subvolumeInfo } from "../../syscall/index.ts";
import type { ListedLayer } from "../../graphdriver/index.ts";
import {
  conditionOf,
  isOfFileSystem,
  layerIdPattern,
  namesIn,
  nameText,
  orUnread,
  type Parentage,
  type Parents,
  readLayerRecord,
  readMountsBelow,
  roleOf,
  type StoreSurvey,
  toListedLayers,
  Unread,
  withFolderIfThere,
} from "../../graphdriver/job-kit.ts";
import { layersFolder } from "./layout.ts";

/**
 * What a store of subvolumes holds. Parents are those that were written down, else what the kernel says a subvolume is
 * a snapshot of; a layer that `applyDiff` filled is one of what it was before, which is gone. Blocks; runs on a worker.
 */
export function surveyStore(home: string, driver: string): StoreSurvey {
  const mounts = readMountsBelow(home);
  return withFolderAt(home, (folder) => {
    const subvolumes = withFolderIfThere(folder, layersFolder, readSubvolumes) ?? new Map<string, Subvolume>();
    const idOf = idsByUuid(subvolumes);
    const layers = [...subvolumes].map(([id, subvolume]) => {
      const recorded = orUnread(() => readLayerRecord(home, id)?.parent);
      const unread = [subvolume, recorded].find((one) => one instanceof Unread);
      const { isLayer, sourceUuid } = subvolume instanceof Unread ? unknown : subvolume;
      const source = sourceUuid === undefined ? undefined : idOf.get(sourceUuid);
      const written = recorded instanceof Unread || sourceUuid === undefined ? undefined : recorded;
      const parent = written ?? source;
      return {
        id,
        parent,
        parentage: unread ? ("unknown" as const) : parentageOf(sourceUuid, parent, subvolumes.has(parent ?? "")),
        role: roleOf(id, parent, false),
        ...conditionOf(unread, isLayer ? "whole" : "half-made"),
        committed: false,
        mounts: mounts.filter(({ mountPoint }) => mountPoint === `${home}/${layersFolder}/${id}`),
        holds: 0,
      };
    });
    return { driver, home, layersHold: "trees", layers };
  });
}

/**
 * Which layers lie on which. Costs a small file for each, and some calls of the kernel besides where there are layers
 * that have none. Blocks; runs on a worker.
 */
export function readParents(home: string): Parents {
  return withFolderAt(`${home}/${layersFolder}`, (folder) => {
    const recorded = layerIds(folder).map((id) => [id, orUnread(() => readLayerRecord(home, id)?.parent)] as const);
    const isComplete = recorded.every(([, parent]) => parent === null || typeof parent === "string");
    const subvolumes = isComplete ? new Map<string, Subvolume | Unread>() : readSubvolumes(folder);
    const idOf = idsByUuid(subvolumes);
    const isAnyUnread = [...subvolumes.values()].some((one) => one instanceof Unread);
    return recorded.flatMap(([id, written]): Parents => {
      if (typeof written === "string") return [[id, written]];
      if (written === null) return [];
      const subvolume = subvolumes.get(id);
      if (subvolume instanceof Unread) return [[id, undefined]];
      const source = subvolume?.sourceUuid;
      const parent = source === undefined ? undefined : idOf.get(source);
      if (parent !== undefined) return [[id, parent]];
      // What was filled is a snapshot of what it was before, which is gone: then the record alone tells. Of one without
      // a record the source may be a layer that cannot be read now.
      const mayLieOnAny = source !== undefined && (written instanceof Unread || isAnyUnread);
      return mayLieOnAny ? [[id, undefined]] : [];
    });
  });
}

/** Blocks; runs on a worker. */
export function readLayers(home: string): readonly ListedLayer[] {
  const unreadable = new Map<string, string>();
  const ids = withFolderAt(`${home}/${layersFolder}`, (folder) => {
    const found = layerIds(folder);
    for (const id of found) {
      const seen = orUnread(() => void statIfThere(folder, id));
      if (seen instanceof Unread) unreadable.set(id, seen.problem);
    }
    return found;
  });
  return toListedLayers(ids, readParents(home), unreadable);
}

/** The names in a folder of layers that may be one. */
export function layerIds(folder: number): string[] {
  return namesIn(folder, ".")
    .map(nameText)
    .filter((id) => layerIdPattern.test(id) && !isOfFileSystem(id));
}

function idsByUuid(subvolumes: ReadonlyMap<string, Subvolume | Unread>): Map<string, string> {
  const ids = new Map<string, string>();
  for (const [id, one] of subvolumes) if (!(one instanceof Unread) && one.uuid !== undefined) ids.set(one.uuid, id);
  return ids;
}

function parentageOf(sourceUuid: string | undefined, parent: string | undefined, isThere: boolean): Parentage {
  if (sourceUuid === undefined) return "none";
  if (parent === undefined) return "unknown";
  return isThere ? "known" : "missing";
}

interface Subvolume {
  readonly isLayer: boolean;
  readonly uuid: string | undefined;
  readonly sourceUuid: string | undefined;
}

/** Copies of a store have folders where subvolumes were. */
function readSubvolumes(folder: number): Map<string, Subvolume | Unread> {
  const found = new Map<string, Subvolume | Unread>();
  for (const id of layerIds(folder)) {
    const subvolume = orUnread(() => withFolderIfThere(folder, id, readSubvolume));
    if (subvolume !== undefined) found.set(id, subvolume);
  }
  return found;
}

const unknown: Subvolume = { isLayer: false, uuid: undefined, sourceUuid: undefined };

function readSubvolume(descriptor: number): Subvolume {
  if (!isSubvolume(fstat(descriptor))) return unknown;
  try {
    const { uuid, sourceUuid } = subvolumeInfo(descriptor);
    return { isLayer: true, uuid, sourceUuid };
  } catch (error) {
    if (isSystemError(error, "ENOTTY")) return unknown; // another file system, by chance with this inode
    throw error;
  }
}
