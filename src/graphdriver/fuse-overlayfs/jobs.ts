/** All that fuse-overlayfs runs on workers, as one module that they import. */
import { createNaiveJobs } from "../diff/naive-jobs.ts";
import { withKnownSame } from "./known-same.ts";

export { openDiffFile, openTree } from "../diff/diff-getter.ts";
export { sendExactDiff } from "../diff/exact-diff.ts";
export { emptyTrash } from "../home/home.ts";
export { applyDiff } from "../overlay2/fill-layer.ts";
export { createLayer } from "../overlay2/create-layer.ts";
export { discardLayer, sweepStore } from "../overlay2/layer-diff.ts";
export { mountLayer, unmountLayer } from "./mount-layer.ts";
export { probeFuseOverlayfs } from "./probe.ts";
export { readParents } from "../overlay2/read-parents.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs(withKnownSame);

export const moduleUrl = import.meta.url;
