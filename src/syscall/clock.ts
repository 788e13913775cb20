import { bindSystemCall, check } from "./libc.ts";

const clockGettime = bindSystemCall("clock_gettime", "int", "void *");

const CLOCK_REALTIME = 0;
/** Seconds and nanoseconds, each of 64 bits. */
const time = new BigInt64Array(2);
const timeBytes = new Uint8Array(time.buffer);

/**
 * Nanoseconds since 1970, as Go's `time.Now()` tells them. `Date.now()` is cut to milliseconds, and Node's other clocks
 * drift from the one that the machine is set by: an engine would see snapshots that were made before it asked for them.
 */
export function nowNs(): bigint {
  check(clockGettime(CLOCK_REALTIME, timeBytes), "clock_gettime");
  return (time[0] as bigint) * 1_000_000_000n + (time[1] as bigint);
}
