/** State that survives `kill -9` and power loss, for plugins: `store.ts` is the manual. */
export type * from "./store.ts";
export { openStore } from "./store.ts";
