import { isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { fstat, isSubvolume, subvolumeInfo } from "../../syscall/index.ts";
import type { ListedLayer } from "../../graphdriver/index.ts";
import {
  isOfFileSystem,
  layerIdPattern,
  namesIn,
  nameText,
  type Parentage,
  type Parents,
  readLayerRecord,
  readMountsBelow,
  roleOf,
  type StoreSurvey,
  toListedLayers,
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
    const idOf = new Map([...subvolumes].map(([id, { uuid }]) => [uuid, id]));
    const layers = [...subvolumes].map(([id, { isLayer, sourceUuid }]) => {
      const recorded = sourceUuid === undefined ? undefined : readLayerRecord(home, id)?.parent;
      const parent = recorded ?? (sourceUuid === undefined ? undefined : idOf.get(sourceUuid));
      return {
        id,
        parent,
        parentage: parentageOf(sourceUuid, parent, subvolumes.has(parent ?? "")),
        role: roleOf(id, parent, false),
        condition: isLayer ? ("whole" as const) : ("half-made" as const),
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
    const recorded = namesIn(folder, ".").map((name): [string, string | null | undefined] => {
      const id = nameText(name);
      return [id, readLayerRecord(home, id)?.parent];
    });
    const isComplete = recorded.every(([, parent]) => parent !== undefined);
    const subvolumes = isComplete ? new Map<string, Subvolume>() : readSubvolumes(folder);
    const idOf = new Map([...subvolumes].map(([id, { uuid }]) => [uuid, id]));
    return recorded.flatMap(([id, written]) => {
      const source = subvolumes.get(id)?.sourceUuid;
      const parent = written === undefined && source !== undefined ? idOf.get(source) : written;
      return parent ? [[id, parent] as const] : [];
    });
  });
}

/** Blocks; runs on a worker. */
export function readLayers(home: string): readonly ListedLayer[] {
  const ids = withFolderAt(`${home}/${layersFolder}`, (folder) => namesIn(folder, ".").map(nameText));
  return toListedLayers(
    ids.filter((id) => layerIdPattern.test(id) && !isOfFileSystem(id)),
    readParents(home),
  );
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
function readSubvolumes(folder: number): Map<string, Subvolume> {
  const found = new Map<string, Subvolume>();
  for (const id of namesIn(folder, ".").map(nameText)) {
    if (!layerIdPattern.test(id) || isOfFileSystem(id)) continue;
    const subvolume = withFolderIfThere(folder, id, readSubvolume);
    if (subvolume !== undefined) found.set(id, subvolume);
  }
  return found;
}

function readSubvolume(descriptor: number): Subvolume {
  const none = { isLayer: false, uuid: undefined, sourceUuid: undefined };
  if (!isSubvolume(fstat(descriptor))) return none;
  try {
    const { uuid, sourceUuid } = subvolumeInfo(descriptor);
    return { isLayer: true, uuid, sourceUuid };
  } catch (error) {
    if (isSystemError(error, "ENOTTY")) return none; // another file system, by chance with this inode
    throw error;
  }
}
