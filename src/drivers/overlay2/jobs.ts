/** All that overlay2 runs on workers, as one module that they import. */
import { createNaiveJobs } from "../../graphdriver/job-kit.ts";

export { emptyTrash, openDiffFile, openTree, sendExactDiff, usageOfTree } from "../../graphdriver/job-kit.ts";
export { createLayer } from "../overlay/layers/create-layer.ts";
export { dropSpares } from "../overlay/layers/spare-layer.ts";
export {
  archiveDiff,
  archiveSmallDiff,
  sendChangesOfDiff,
  sizeOfDiff,
  sweepStore,
} from "../overlay/diffs/layer-diff.ts";
export { applyDiff } from "../overlay/diffs/apply-diff.ts";
export { areDiffsWhole, isDiffWhole } from "../overlay/mounts/layer-features.ts";
export { mountWithSlack } from "./mount/mount-with-slack.ts";
export { mendLayers } from "../overlay/layers/mend-layers.ts";
export { markParents } from "../overlay/layout/mark-parents.ts";
export { discardMounted } from "./mount/discard-mounted.ts";
export { unmountLayer } from "./mount/mount-layer.ts";
export { probeOverlay } from "./probe/probe.ts";
export { probeProjectQuotas } from "../overlay/quotas/project-quotas.ts";
export { readLayers, readParents } from "../overlay/layout/read-parents.ts";
export { rebaseLayer } from "../overlay/layers/rebase-layer.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs();

export const moduleUrl = import.meta.url;
