/** For rooms that clean up after what failed. */
export { joinFailures, releaseAfter } from "./release-after.ts";
