/** All that vfs runs on workers, as one module that they import. */
import { createNaiveJobs } from "../../graphdriver/job-kit.ts";
import { withKnownSame } from "./known-same.ts";

export { emptyTrash, openDiffFile, openTree, sendExactDiff, usageOfTree } from "../../graphdriver/job-kit.ts";
export { createLayer, discardLayer } from "./create-layer.ts";
export { applyDiff, sweepStore, undoFilling } from "./apply-diff.ts";
export { readLayers, readParents } from "./survey.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs(withKnownSame);

export const moduleUrl = import.meta.url;
