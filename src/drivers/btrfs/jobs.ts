/** All that btrfs runs on workers, as one module that they import. */
import { createNaiveJobs } from "../../graphdriver/job-kit.ts";
import { withKnownSame } from "./known-same.ts";

export { openDiffFile, openTree, sendExactDiff } from "../../graphdriver/job-kit.ts";
export { createLayer, discardLayer, emptyTrash, sweepStore } from "./create-layer.ts";
export { applyDiff } from "./apply-diff.ts";
export { quotaStateOf, renewLimit, usageOf } from "./layer-size.ts";
export { probeBtrfs } from "./probe.ts";
export { readLayers, readParents } from "./survey.ts";
export { usageOfLayer } from "./layer-usage.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs(withKnownSame);

export const moduleUrl = import.meta.url;
