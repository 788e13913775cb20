/** Threads for work that blocks, and the shared ring that streams bytes to and from them. */
export { askBeside } from "./beside.ts";
export {
  createWorkerPool,
  defaultMaxThreads,
  type ModuleReference,
  type WorkerPool,
  type WorkerPoolOptions,
} from "./pool.ts";
export { undoPatienceMs } from "./streams/peers/patience.ts";
export { createSlots } from "./streams/slots.ts";
export { createPace, type Pace } from "./streams/peers/pace.ts";
export {
  createSyncRingReader,
  createSyncRingWriter,
  type SyncRingReader,
  type SyncRingWriter,
} from "./streams/blocking-ends.ts";
export { createRing, type Ring } from "./streams/ring/control.ts";
