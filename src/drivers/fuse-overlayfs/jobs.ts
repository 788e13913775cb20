/** All that fuse-overlayfs runs on workers, as one module that they import. */
import { createNaiveJobs } from "../../graphdriver/job-kit.ts";
import { withKnownSame } from "./known-same.ts";

export { emptyTrash, openDiffFile, openTree, sendExactDiff, usageOfTree } from "../../graphdriver/job-kit.ts";
export { applyDiff } from "../overlay/apply-diff.ts";
export { createLayer } from "../overlay/create-layer.ts";
export { discardLayer, sweepStore } from "../overlay/layer-diff.ts";
export { mendLayers } from "../overlay/mend-layers.ts";
export { mountLayer, unmountLayer } from "./mount-layer.ts";
export { probeFuseOverlayfs } from "./probe.ts";
export { readLayers, readParents } from "../overlay/read-parents.ts";
export { rebaseLayer } from "../overlay/rebase-layer.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs(withKnownSame);

export const moduleUrl = import.meta.url;
