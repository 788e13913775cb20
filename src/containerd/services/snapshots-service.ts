/**
 * containerd's snapshots service, version 1.
 *
 * Source: containerd v1.6.20 `api/services/snapshots/v1/snapshots.proto`; `CommitSnapshotRequest.parent` of
 * v2.2.0. containerd calls without a deadline, and holds the lock of its database in `Commit` and `Update`: the
 * deadlines here are the server's as well as the client's.
 */
import {
  defineService,
  embedded,
  empty,
  enumeration,
  fieldMask,
  int64,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";
import { mountMessage } from "./shared-messages.ts";

const source = "containerd v1.6.20 api/services/snapshots/v1/snapshots.proto";
const secondMs = 1_000;
const name = (short: string) => `containerd.services.snapshots.v1.${short}`;

/** Who reads an info takes `UNKNOWN` for a committed one (containerd v1.6.20 `snapshots/proxy/proxy.go`, toKind). */
export const infoMessage = message(name("Info"), {
  name: string(1),
  parent: string(2),
  kind: enumeration(3, ["UNKNOWN", "VIEW", "ACTIVE", "COMMITTED"]),
  created_at: embedded(4, timestamp),
  updated_at: embedded(5, timestamp),
  labels: stringMap(6),
});

/** `snapshotter` is the name under which containerd's configuration knows the plugin; in every request. */
const keyed = { snapshotter: string(1), key: string(2) };
const prepared = { ...keyed, parent: string(3), labels: stringMap(4) };
const mounts = { mounts: repeated(1, mountMessage) };
/** containerd dereferences it unseen: it is never missing. */
const info = { info: embedded(1, infoMessage) };

const call = { kind: "unary", subject: "key", source } as const;

export const snapshotsService = defineService({
  name: "containerd.services.snapshots.v1.Snapshots",
  methods: {
    prepare: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/Prepare",
      request: message(name("PrepareSnapshotRequest"), prepared),
      response: message(name("PrepareSnapshotResponse"), mounts),
      timeoutMs: 600 * secondMs, // a storage that copies
    },
    view: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/View",
      request: message(name("ViewSnapshotRequest"), prepared),
      response: message(name("ViewSnapshotResponse"), mounts),
      timeoutMs: 600 * secondMs,
    },
    mounts: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/Mounts",
      request: message(name("MountsRequest"), keyed),
      response: message(name("MountsResponse"), mounts),
      timeoutMs: 30 * secondMs,
    },
    commit: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/Commit",
      request: message(name("CommitSnapshotRequest"), {
        snapshotter: string(1),
        name: string(2),
        key: string(3),
        labels: stringMap(4),
        parent: string(5),
      }),
      response: empty,
      timeoutMs: 150 * secondMs, // what was unpacked is made durable
    },
    remove: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/Remove",
      request: message(name("RemoveSnapshotRequest"), keyed),
      response: empty,
      timeoutMs: 60 * secondMs,
    },
    stat: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/Stat",
      request: message(name("StatSnapshotRequest"), keyed),
      response: message(name("StatSnapshotResponse"), info),
      timeoutMs: 30 * secondMs,
    },
    update: {
      kind: "unary",
      source,
      path: "/containerd.services.snapshots.v1.Snapshots/Update",
      request: message(name("UpdateSnapshotRequest"), {
        snapshotter: string(1),
        info: embedded(2, infoMessage),
        update_mask: embedded(3, fieldMask),
      }),
      response: message(name("UpdateSnapshotResponse"), info),
      timeoutMs: 30 * secondMs,
    },
    list: {
      kind: "server-stream",
      source,
      path: "/containerd.services.snapshots.v1.Snapshots/List",
      request: message(name("ListSnapshotsRequest"), { snapshotter: string(1), filters: repeatedStrings(2) }),
      response: message(name("ListSnapshotsResponse"), { info: repeated(1, infoMessage) }),
      timeoutMs: 60 * secondMs,
    },
    usage: {
      ...call,
      path: "/containerd.services.snapshots.v1.Snapshots/Usage",
      request: message(name("UsageRequest"), keyed),
      response: message(name("UsageResponse"), { size: int64(1), inodes: int64(2) }),
      timeoutMs: 600 * secondMs, // a walk
    },
    cleanup: {
      kind: "unary",
      source,
      path: "/containerd.services.snapshots.v1.Snapshots/Cleanup",
      request: message(name("CleanupRequest"), { snapshotter: string(1) }),
      response: empty,
      timeoutMs: 600 * secondMs,
    },
  },
});
