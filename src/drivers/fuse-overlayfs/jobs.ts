/** All that fuse-overlayfs runs on workers, as one module that they import. */
import { createNaiveJobs } from "../../graphdriver/job-kit.ts";
import { withKnownSame } from "./known-same.ts";

export { emptyTrash, openDiffFile, openTree, sendExactDiff, usageOfTree } from "../../graphdriver/job-kit.ts";
export { applyDiff } from "../overlay/diffs/apply-diff.ts";
export { createLayer } from "../overlay/layers/create-layer.ts";
export { dropSpares } from "../overlay/layers/spare-layer.ts";
export { discardLayer, sweepStore } from "../overlay/diffs/layer-diff.ts";
export { mendLayers } from "../overlay/layers/mend-layers.ts";
export { mountLayer, unmountLayer } from "./mount-layer.ts";
export { probeFuseOverlayfs } from "./probe.ts";
export { readLayers, readParents } from "../overlay/layout/read-parents.ts";
export { rebaseLayer } from "../overlay/layers/rebase-layer.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs(withKnownSame);

export const moduleUrl = import.meta.url;
