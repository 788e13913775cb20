/**
 * What graph drivers stand on, ours and those of others: a home with its locks, records and trash; options; diffs by
 * comparing trees; archives, kept and applied; mount counts; probes; what stores are inspected with. The contract
 * itself is in `index.ts`. Jobs stand on a part of it that loads less, `job-kit.ts`.
 */
export { applyArchive, type ApplyDiffOptions, unpackDiff } from "./diff/apply-archive.ts";
export { readChanges, writeChanges } from "./diff/change-records.ts";
export { createDiffGetter, openDiffFile, openTree } from "./diff/diff-getter.ts";
export { readExactDiff, recordFile, sendExactDiff, stagedTreeOf } from "./diff/exact-diff.ts";
export { type AppliedDiff, reportApplied } from "./diff/left-out.ts";
export { usageOfTree, usageWith } from "./diff/layer-usage.ts";
export { createNaiveDiff } from "./diff/naive-diff.ts";
export { createNaiveJobs } from "./diff/naive-jobs.ts";
export type { WithKnownSame } from "./known-same.ts";
export { streamExactDiff } from "./diff/stream-exact-diff.ts";
export {
  commonOptions,
  type DiffOptions,
  newestArchiveDialect,
  optionKinds,
  readDriverOptions,
  readStorageSize,
  refuseStorageOptions,
  toSizeRefusal,
  toDiffOptions,
} from "./driver-options.ts";
export { type Damage, mendable, type StoreFinding, type StoreFindingKind, unmendable } from "./finding.ts";
export { isOfFileSystem } from "./foreign-names.ts";
export {
  cleanFolder,
  ensureCleanFolder,
  makeCleanFolder,
  makeFolderInClean,
  withCleanFolder,
} from "./home/folders/clean-folder.ts";
export { bindSpec } from "./home/mounts/bind-spec.ts";
export { deleteTrashed, emptyTrashBehind, exactNameOf, type TrashJobs, withUndoBehind } from "./home/delete-trashed.ts";
export { assertUse, driverRecordFile, readDriverRecord } from "./home/records/driver-record.ts";
export {
  discardOrRemove,
  discardStaged,
  emptyTrash,
  isStagedOrTrashed,
  letThrough,
  lockHome,
  makeFolders,
  ownFolder,
  passageMode,
  prepareHome,
  removeIfPossible,
  stagingFolder,
  stagingPath,
  sweep,
  trashFolder,
  uniqueName,
} from "./home/folders/home.ts";
export { isServed } from "./home/folders/served-home.ts";
export { takeBack } from "./home/folders/take-back.ts";
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
export { listLayers, toListedLayers } from "./home/lineage/list-layers.ts";
export { keepsOrder } from "./home/behind/keeps-order.ts";
export { createLayerKeeper, type LayerKeeper, type LayerKeeperJobs } from "./home/layer-keeper.ts";
export { createLineage, type Lineage } from "./home/lineage/lineage.ts";
export { type Parents } from "./home/lineage/relations.ts";
export { createMountCounts, type MountCounts } from "./home/mounts/mount-counts.ts";
export { type OpenHome, openHome } from "./home/open-home.ts";
export { streamArchive } from "./diff/short-archive.ts";
export { readIfThere } from "./home/records/read-if-there.ts";
export { isGone, orUnread, Unread } from "./unread.ts";
export { createWanted, whileWanted } from "./streams/given-up.ts";
export { type SyncBehind, syncBehind } from "./home/behind/sync-behind.ts";
export { hasStayedWhole, recordWhole } from "./home/records/whole-record.ts";
export { findExactDamage } from "./inspect/exact-damage.ts";
export { dockerDrivers, markers, nativeDrivers, priority } from "./inspect/known-drivers.ts";
export { mendStore } from "./inspect/mend-store.ts";
export { readMountsBelow } from "./inspect/mounts-below.ts";
export { assertNothingMounted, findOwnDamage, findWrongFolders, formatNames } from "./inspect/own-damage.ts";
export { assertNotOfAnother, recognizeHome } from "./inspect/recognize-home.ts";
export { readRecordedCounts } from "./inspect/recorded-counts.ts";
export {
  type EntryKind,
  kindOf,
  namesIn,
  nameText,
  parseObject,
  readJsonAt,
  readLink,
  readRecord,
  readRecordAt,
  withFolderIfThere,
  withPathIfThere,
} from "./inspect/store-entries.ts";
export { describeUnread, findUnlessUnread, findUnreadLayers, withholdMends } from "./inspect/unread-damage.ts";
export { usageAt } from "./inspect/usage-at.ts";
export { writeLink, writeRecord } from "./home/records/write-record.ts";
export { assertLayerId, layerIdPattern } from "./layer-id.ts";
export { beginCommit, ignoreCancellation, syncfs } from "../syscall/index.ts";
export { attributeless, unprivileged, unwritable } from "./probe/folder-obstacles.ts";
export { type ProbeFindings, runProbe } from "./probe/run-probe.ts";
export type { RepairReport, StoreJobs } from "./store-jobs.ts";
export {
  conditionOf,
  type LayerCondition,
  type LayerMount,
  type LayerRole,
  type Parentage,
  roleOf,
  type StoreSurvey,
  type SurveyedLayer,
} from "./survey.ts";
export type { ModuleReference, Ring } from "../workers/index.ts";
