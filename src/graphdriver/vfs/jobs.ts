/** All that vfs runs on workers, as one module that they import. */
export { openDiffFile, openTree } from "../diff/diff-getter.ts";
export { sendExactDiff } from "../diff/exact-diff.ts";
export { emptyTrash } from "../home/home.ts";
export { createLayer, discardLayer } from "./create-layer.ts";
export { applyDiff, recoverStore, undoFilling } from "./fill-layer.ts";

export const moduleUrl = import.meta.url;
