/** containerd's snapshotters. `snapshotter.ts` is the manual. */
export { type DiffService, type DiffServiceOptions, openDiffService } from "./diff/diff-service.ts";
export {
  openGraphDriverSnapshotter,
  type OpenGraphDriverSnapshotterOptions,
} from "./layers/open-graph-driver-snapshotter.ts";
export { examineRecords, type RecordsTrouble } from "./layers/examine-records.ts";
export { servedNameFile } from "./layers/records-place.ts";
export { openSnapshotter, type OpenSnapshotterOptions } from "./store/open-snapshotter.ts";
export { createRemoteSnapshotter, type RemoteSnapshotterOptions } from "./service/remote-snapshotter.ts";
export { createSnapshotsService } from "./service/serve-snapshots.ts";
export type { ServedNameOptions } from "./service/served-name.ts";
export type {
  IdRemap,
  ListedPlace,
  NewPlace,
  PlaceUse,
  SnapshotStorage,
  StorageCapabilities,
} from "./snapshot-storage.ts";
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
