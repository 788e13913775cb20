/** Loaded by `node --import`, before what is to be fuzzed. */
import { register } from "node:module";

const maxCounters = 1 << 18;

let taken = 0;
globalThis.fuzzCoverage = {
  hits: new Uint8Array(maxCounters),
  /** @param {number} count */
  take(count) {
    const base = taken;
    taken += count;
    if (taken > maxCounters) throw new Error("there are more branches than counters");
    return base;
  },
  /** The counters in use. */
  used: () => globalThis.fuzzCoverage.hits.subarray(0, (taken + 7) & ~7),
};

register("./instrument.mjs", import.meta.url);
