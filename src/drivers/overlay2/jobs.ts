/** All that overlay2 runs on workers, as one module that they import. */
import { createNaiveJobs } from "../../graphdriver/job-kit.ts";

export { emptyTrash, openDiffFile, openTree, sendExactDiff, usageOfTree } from "../../graphdriver/job-kit.ts";
export { createLayer } from "../overlay/create-layer.ts";
export { archiveDiff, archiveSmallDiff, sendChangesOfDiff, sizeOfDiff, sweepStore } from "../overlay/layer-diff.ts";
export { applyDiff } from "../overlay/apply-diff.ts";
export { areDiffsWhole, isDiffWhole } from "../overlay/layer-features.ts";
export { mountWithSlack } from "./mount/mount-with-slack.ts";
export { mendLayers } from "../overlay/mend-layers.ts";
export { markParents } from "../overlay/mark-parents.ts";
export { discardMounted } from "./mount/discard-mounted.ts";
export { unmountLayer } from "./mount/mount-layer.ts";
export { probeOverlay } from "./probe/probe.ts";
export { probeProjectQuotas } from "../overlay/project-quotas.ts";
export { readLayers, readParents } from "../overlay/read-parents.ts";
export { rebaseLayer } from "../overlay/rebase-layer.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs();

export const moduleUrl = import.meta.url;
