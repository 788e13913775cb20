import koffi from "koffi";
import { CleatError } from "../errors/index.ts";

const clockGettime = koffi.load(null).func("clock_gettime", "int", ["int", "void *"]) as unknown as (
  clock: number,
  time: BigInt64Array,
) => number;

const realTime = 0;
const time = new BigInt64Array(2);

/**
 * Nanoseconds since 1970, as Go's `time.Now()` tells them. `Date.now()` is cut to milliseconds, and Node's other clocks
 * drift from the one that the machine is set by: an engine would see snapshots that were made before it asked for them.
 */
export function nowNs(): bigint {
  if (clockGettime(realTime, time) !== 0) throw new CleatError("INTERNAL", "clock_gettime failed");
  return (time[0] as bigint) * 1_000_000_000n + (time[1] as bigint);
}
