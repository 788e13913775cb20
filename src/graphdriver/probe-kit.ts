/**
 * What the probes of drivers stand on. Whenever a driver is chosen each probe gets a thread of its own, which loads
 * this file and what it asks of the kernel: nothing of archives, layers and homes.
 */
export { attributeless, unprivileged, unwritable } from "./probe/folder-obstacles.ts";
export type { ProbeFindings } from "./probe/run-probe.ts";
