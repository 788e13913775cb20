/**
 * Messages that more than one service of the Container Storage Interface uses.
 *
 * Source: container-storage-interface/spec v1.9.0 `csi.proto`. A `oneof` is described as its fields, of which one is
 * set.
 */
import { bool, embedded, enumeration, int64, message, repeatedStrings, string, stringMap } from "../../grpc/index.ts";

export const source = "container-storage-interface/spec v1.9.0 csi.proto";
export const name = (short: string) => `csi.v1.${short}`;

export const boolValue = message("google.protobuf.BoolValue", { value: bool(1) });
export const int64Value = message("google.protobuf.Int64Value", { value: int64(1) });

/** In the order of their numbers. */
export const accessModes = [
  "UNKNOWN",
  "SINGLE_NODE_WRITER",
  "SINGLE_NODE_READER_ONLY",
  "MULTI_NODE_READER_ONLY",
  "MULTI_NODE_SINGLE_WRITER",
  "MULTI_NODE_MULTI_WRITER",
  "SINGLE_NODE_SINGLE_WRITER",
  "SINGLE_NODE_MULTI_WRITER",
] as const;
export type AccessMode = (typeof accessModes)[number];

export const capabilityMessage = message(name("VolumeCapability"), {
  block: embedded(1, message(name("VolumeCapability.BlockVolume"), {})),
  mount: embedded(
    2,
    message(name("VolumeCapability.MountVolume"), {
      fs_type: string(1),
      mount_flags: repeatedStrings(2),
      volume_mount_group: string(3),
    }),
  ),
  access_mode: embedded(3, message(name("VolumeCapability.AccessMode"), { mode: enumeration(1, accessModes) })),
});

export const capacityRangeMessage = message(name("CapacityRange"), {
  required_bytes: int64(1),
  limit_bytes: int64(2),
});

export const topologyMessage = message(name("Topology"), { segments: stringMap(1) });

export const contentSourceMessage = message(name("VolumeContentSource"), {
  snapshot: embedded(1, message(name("VolumeContentSource.SnapshotSource"), { snapshot_id: string(1) })),
  volume: embedded(2, message(name("VolumeContentSource.VolumeSource"), { volume_id: string(1) })),
});

export const conditionMessage = message(name("VolumeCondition"), { abnormal: bool(1), message: string(2) });

/** A service's capability of one kind, whose only field is a type: `{ rpc: { type } }`. */
export const typeOf = <const Names extends readonly [string, ...string[]]>(short: string, names: Names) =>
  message(name(short), { type: enumeration(1, names) });
