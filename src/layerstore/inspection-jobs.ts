/** What is asked of every home, whatever its driver, as one module that workers import. */
export { assertAtRest } from "./assert-at-rest.ts";
export { readEngineRecords } from "./engine-records.ts";
export { isInUse } from "./who-uses.ts";

export const moduleUrl = import.meta.url;
