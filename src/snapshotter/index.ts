/** containerd's snapshotters. `snapshotter.ts` is the manual. */
export {
  type CommitOptions,
  type Labels,
  type Mount,
  type PrepareOptions,
  type SnapshotInfo,
  type SnapshotKind,
  snapshotKinds,
  type Snapshotter,
  type UpdateOptions,
  type Usage,
} from "./snapshotter.ts";
