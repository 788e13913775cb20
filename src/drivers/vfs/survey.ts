import { withFolderAt } from "../../layer/index.ts";
import type { ListedLayer } from "../../graphdriver/index.ts";
import {
  conditionOf,
  isOfFileSystem,
  type LayerCondition,
  layerIdPattern,
  layerRecordsFolder,
  namesIn,
  nameText,
  orUnread,
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
  Unread,
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
      const marks = orUnread(() => {
        lookAt(folder, id);
        return readMarks(folder, id);
      });
      const { condition, parent } = marks instanceof Unread ? unknown : marks;
      return {
        id,
        parent: parent === "" ? undefined : parent,
        parentage: parentageOf(parent, ids),
        role: roleOf(id, parent, false),
        ...conditionOf(marks, condition),
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
    layerNames(folder).flatMap((id): Parents => {
      const parent = orUnread(() => (readLayerRecord(home, id) ?? readMarks(folder, id)).parent);
      if (parent instanceof Unread) return [[id, undefined]];
      return parent ? [[id, parent]] : [];
    }),
  );
}

/** Blocks; runs on a worker. */
export function readLayers(home: string): readonly ListedLayer[] {
  const unreadable = new Map<string, string>();
  const ids = withFolderAt(home, (folder) => readLayerIds(folder, (id, { problem }) => unreadable.set(id, problem)));
  return toListedLayers(ids, readParents(home), unreadable);
}

/** The names of the folders that are layers, or may be, sorted; of those that cannot be looked at `tell` is told. */
export function readLayerIds(home: number, tell: (id: string, unread: Unread) => void = () => {}): string[] {
  return layerNames(home).filter((id) => {
    const found = orUnread(() => lookAt(home, id));
    if (found instanceof Unread) tell(id, found);
    return found;
  });
}

function layerNames(home: number): string[] {
  return namesIn(home, layersFolder)
    .map(nameText)
    .filter((id) => layerIdPattern.test(id) && !isOfFileSystem(id));
}

function lookAt(home: number, id: string): boolean {
  return withPathIfThere(home, `${layersFolder}/${id}`, () => true) ?? false;
}

const unknown: Marks = { condition: "whole", parent: undefined };

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
