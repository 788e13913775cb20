/** All that vfs runs on workers, as one module that they import. */
export { openDiffFile, openTree } from "../diff-getter.ts";
export { sendExactDiff } from "../exact-diff.ts";
export { emptyTrash } from "../home.ts";
export { createLayer, discardLayer } from "./create-layer.ts";
export { applyDiff, recoverStore } from "./fill-layer.ts";

export const moduleUrl = import.meta.url;
