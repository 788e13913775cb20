/** Tar archives ⇄ directory trees, through descriptors. Everything here blocks and is meant for worker threads. */
export { applyLayer, type ApplyOptions } from "./apply.ts";
export { archiveDifference, differenceSize } from "./archive-difference.ts";
export { archiveTree, type ArchiveOptions } from "./archive-tree.ts";
export { assembleLayerAt, type LayerPlace } from "./assemble-layer-at.ts";
export type { TreeChange } from "./change.ts";
export { compareTrees, findChanges } from "./compare-trees.ts";
export { openConfinedFolder } from "./confine.ts";
export { copyTree } from "./copy-tree.ts";
export { applyLayerExactly, assembleLayer, type ExactLayer } from "./exact-layer.ts";
export type { IdRange, IdRanges } from "./id-map.ts";
export { createIdMaps } from "./id-map.ts";
export { openLayerFile } from "./layer-files.ts";
export { overlayChanges } from "./overlay-changes.ts";
export { findOverlayFeatures, joinFeatures, noOverlayFeatures, type OverlayFeatures } from "./overlay-features.ts";
export { removeTree } from "./remove-tree.ts";
export { treeSize } from "./tree-size.ts";
export type { OverlayPrefix, WhiteoutConvention } from "./whiteout.ts";
export { withFolder, withFolderAt } from "./with-folder.ts";
