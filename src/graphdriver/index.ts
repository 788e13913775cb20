/** Graph drivers: the contract (`driver.ts` is the manual), the drivers, and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export { assertLayerId, layerIdPattern } from "./layer-id.ts";
export { overlay2 } from "./overlay2/overlay2.ts";
export { vfs } from "./vfs/vfs.ts";
