/**
 * The part of the kit on which the jobs and probes of graph drivers stand. Each thread of workers loads this file, in
 * some tenths of a second if it has to load protocols and schemas, too: what it shows must not load much.
 */
export { applyArchive, type ApplyDiffOptions, unpackDiff } from "./diff/apply-archive.ts";
export { writeChanges } from "./diff/change-records.ts";
export { openDiffFile, openTree } from "./diff/diff-getter.ts";
export { readExactDiff, recordFile, sendExactDiff, stagedTreeOf } from "./diff/exact-diff.ts";
export { type AppliedDiff } from "./diff/left-out.ts";
export { usageOfTree, usageWith } from "./diff/layer-usage.ts";
export { createNaiveJobs } from "./diff/naive-jobs.ts";
export type { WithKnownSame } from "./known-same.ts";
export { isOfFileSystem } from "./foreign-names.ts";
export {
  cleanFolder,
  makeCleanFolder,
  makeFolderInClean,
  type Owner,
  withCleanFolder,
} from "./home/folders/clean-folder.ts";
export { exactNameOf } from "./home/delete-trashed.ts";
export { readDriverRecord } from "./home/records/driver-record.ts";
export {
  discardOrRemove,
  discardStaged,
  emptyTrash,
  isStagedOrTrashed,
  ownFolder,
  removeIfPossible,
  stagingFolder,
  stagingPath,
  sweep,
  trashFolder,
  uniqueName,
} from "./home/folders/home.ts";
export {
  changeTime,
  forgetLayerRecord,
  isBefore,
  layerRecordsFolder,
  readLayerRecord,
  restampLayerRecord,
  type StagedLayerRecord,
  stageLayerRecord,
  type Stamp,
  sweepLayerRecords,
} from "./home/records/layer-record.ts";
export { renameAcrossProjects } from "./home/folders/rename-across-projects.ts";
export { toListedLayers } from "./home/lineage/list-layers.ts";
export { type Parents } from "./home/lineage/relations.ts";
export { readIfThere } from "./home/records/read-if-there.ts";
export { bindSpec } from "./home/mounts/bind-spec.ts";
export { isGone, orUnread, Unread } from "./unread.ts";
export { takeBack } from "./home/folders/take-back.ts";
export { readMountsBelow } from "./inspect/mounts-below.ts";
export {
  namesIn,
  nameText,
  readJsonAt,
  readRecordAt,
  withFolderIfThere,
  withPathIfThere,
} from "./inspect/store-entries.ts";
export { layerIdPattern } from "./layer-id.ts";
export { conditionOf, type LayerCondition, type Parentage, roleOf, type StoreSurvey } from "./survey.ts";
