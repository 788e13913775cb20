/** Tar archives ⇄ directory trees, through descriptors. Everything here blocks and is meant for worker threads. */
export { applyLayer, type ApplyOptions, unpackTree } from "./apply/apply.ts";
export type { ArchiveDialect } from "./archive/archive-dialect.ts";
export { archiveDifference, differenceSize } from "./archive/archive-difference.ts";
export { archiveChanges, type ArchiveChangesOptions } from "./archive/archive-changes.ts";
export { archiveTree, type ArchiveOptions, emptyArchive } from "./archive/archive-tree.ts";
export { archiveWholeTree } from "./archive/archive-whole-tree.ts";
export { assembleLayerAt, type LayerPlace } from "./exact/assemble-layer-at.ts";
export { findChangesDepthFirst } from "./changes/depth-first.ts";
export type { ChangedFile, LayerChange } from "./changes/layer-change.ts";
export { createListLimit, maxListBytes, type TreeChange } from "./changes/change.ts";
export { compareTrees, findChanges, type IsKnownSame, treesDiffer } from "./changes/compare-trees.ts";
export { openConfinedFolder } from "./tree/confine.ts";
export type { AskCopyHelp } from "./copy/copy-beside.ts";
export { copyFoldersUrl } from "./copy/copy-folders.ts";
export { copyTree } from "./copy/copy-tree.ts";
export { diskUsage, type DiskUsage } from "./usage/disk-usage.ts";
export { applyLayerExactly, assembleLayer, type ExactLayer } from "./exact/exact-layer.ts";
export type { IdRange, IdRanges } from "./entry/id-map.ts";
export { fitsWithin, isEmptyFolderAt, type TreeLimit } from "./usage/fits-within.ts";
export { hideBelowOpaqueRoot } from "./apply/whiteouts/opaque-root.ts";
export { createIdMaps } from "./entry/id-map.ts";
export { dropInherited } from "./copy/inherited-access.ts";
export { openLayerFile } from "./tree/layer-files.ts";
export { findOverlayChanges, overlayChanges } from "./changes/overlay-changes.ts";
export {
  findOverlayFeatures,
  joinFeatures,
  noOverlayFeatures,
  type OverlayFeatures,
} from "./changes/overlay-features.ts";
export { shareContent, type SharedContent } from "./copy/share-content.ts";
export { createFolderTrail, type FolderTrail, type WalkedFolder, walkFolders } from "./tree/folder-trail.ts";
export { openUnmounted, removeForGood, removeTree, withUnmountedFolder } from "./tree/remove-tree.ts";
export { restoreCopy } from "./copy/restore-copy.ts";
export { usageBeyond } from "./usage/usage-beyond.ts";
export { treeSize } from "./usage/tree-size.ts";
export type { OverlayPrefix, WhiteoutConvention } from "./entry/whiteout.ts";
export { openFolder, withFolder, withFolderAt } from "./tree/with-folder.ts";
export { despiteProtection } from "./tree/write-protection.ts";
