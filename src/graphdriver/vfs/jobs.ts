/** All that vfs runs on workers, as one module that they import. */
import { createNaiveJobs } from "../diff/naive-jobs.ts";
import { withKnownSame } from "./known-same.ts";

export { openDiffFile, openTree } from "../diff/diff-getter.ts";
export { sendExactDiff } from "../diff/exact-diff.ts";
export { emptyTrash } from "../home/home.ts";
export { createLayer, discardLayer } from "./create-layer.ts";
export { applyDiff, recoverStore, undoFilling } from "./fill-layer.ts";
export { readParents } from "./survey.ts";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs(withKnownSame);

export const moduleUrl = import.meta.url;
