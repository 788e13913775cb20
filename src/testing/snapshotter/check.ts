import type { Check } from "../check.ts";
import type { SnapshotterContext } from "./context.ts";

/** One promise of the snapshotter contract. */
export type SnapshotterCheck = Check<SnapshotterContext>;
