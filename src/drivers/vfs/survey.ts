import { withFolderAt } from "../../layer/index.ts";
import type { ListedLayer } from "../../graphdriver/index.ts";
import {
  isOfFileSystem,
  type LayerCondition,
  layerIdPattern,
  layerRecordsFolder,
  namesIn,
  nameText,
  type Parentage,
  type Parents,
  readJsonAt,
  readLayerRecord,
  readMountsBelow,
  readRecordAt,
  recordFile,
  roleOf,
  type StoreSurvey,
  toListedLayers,
  withPathIfThere,
} from "../../graphdriver/job-kit.ts";
import { exactFolder, fillingFolder, layersFolder, unfilledFolder } from "./layout.ts";

/**
 * What a store of whole copies holds. On what a layer lies is known of those that Cleat made; of older ones while
 * they are not filled, or when their archive was kept. Blocks; runs on a worker.
 */
export function surveyStore(home: string, driver: string): StoreSurvey {
  const mounts = readMountsBelow(home);
  return withFolderAt(home, (folder) => {
    const ids = new Set(readLayerIds(folder));
    const layers = [...ids].map((id) => {
      const { condition, parent } = readMarks(folder, id);
      return {
        id,
        parent: parent === "" ? undefined : parent,
        parentage: parentageOf(parent, ids),
        role: roleOf(id, parent, false),
        condition,
        committed: false,
        mounts: mounts.filter(({ mountPoint }) => mountPoint === `${home}/${layersFolder}/${id}`),
        holds: 0,
      };
    });
    return { driver, home, layersHold: "trees", layers };
  });
}

/** Which layers lie on which, as far as anything tells; costs a small file for each. Blocks; runs on a worker. */
export function readParents(home: string): Parents {
  return withFolderAt(home, (folder) =>
    namesIn(folder, layersFolder).flatMap((name) => {
      const id = nameText(name);
      const parent = (readLayerRecord(home, id) ?? readMarks(folder, id)).parent;
      return parent ? [[id, parent] as const] : [];
    }),
  );
}

/** Blocks; runs on a worker. */
export function readLayers(home: string): readonly ListedLayer[] {
  return toListedLayers(withFolderAt(home, readLayerIds), readParents(home));
}

/** The names of the folders that are layers, sorted. */
export function readLayerIds(home: number): string[] {
  const ids = namesIn(home, layersFolder).map(nameText);
  return ids.filter(
    (id) =>
      layerIdPattern.test(id) && !isOfFileSystem(id) && withPathIfThere(home, `${layersFolder}/${id}`, () => true),
  );
}

interface Marks {
  readonly condition: LayerCondition;
  /** Empty for a layer without a parent, `undefined` where nothing tells. */
  readonly parent: string | undefined;
}

function readMarks(home: number, id: string): Marks {
  const record = readJsonAt(home, `${layerRecordsFolder}/${id}`);
  const filling = readRecordAt(home, `${fillingFolder}/${id}`);
  if (filling !== undefined) return { condition: "filling", parent: filling };
  const unfilled = readRecordAt(home, `${unfilledFolder}/${id}`);
  if (unfilled !== undefined) return { condition: "unfilled", parent: unfilled };
  const { version, parent } = record ?? readJsonAt(home, `${exactFolder(id)}/${recordFile}`) ?? {};
  if (version !== 1) return { condition: "whole", parent: undefined };
  return { condition: "whole", parent: parent === null ? "" : typeof parent === "string" ? parent : undefined };
}

function parentageOf(parent: string | undefined, ids: ReadonlySet<string>): Parentage {
  if (parent === undefined) return "unknown";
  if (parent === "") return "none";
  return ids.has(parent) ? "known" : "missing";
}
