/** All that overlay2 runs on workers, as one module that they import. */
import { createNaiveJobs } from "../diff/naive-jobs.ts";

export { openDiffFile, openTree } from "../diff/diff-getter.ts";
export { sendExactDiff } from "../diff/exact-diff.ts";
export { emptyTrash } from "../home/home.ts";
export { createLayer } from "./create-layer.ts";
export { archiveDiff, discardLayer, sendChangesOfDiff, sizeOfDiff, sweepStore } from "./layer-diff.ts";
export { applyDiff } from "./fill-layer.ts";
export { areDiffsWhole, isDiffWhole } from "./layer-features.ts";
export { forgetLimit, mountWithSlack, projectOfLayer } from "./layer-size.ts";
export { markParents } from "./mark-parents.ts";
export { unmountLayer } from "./mount-layer.ts";
export { probeOverlay } from "./probe/probe.ts";
export { probeProjectQuotas } from "./project-quotas.ts";
export { readParents } from "./read-parents.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs();

export const moduleUrl = import.meta.url;
