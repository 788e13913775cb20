/** What brings volumes to where a container's files are, on the node that runs it. */
import {
  bool,
  defineService,
  embedded,
  enumeration,
  int64,
  message,
  repeated,
  string,
  stringMap,
} from "../../grpc/index.ts";
import {
  capabilityMessage,
  capacityRangeMessage,
  conditionMessage,
  name,
  source,
  topologyMessage,
  typeOf,
} from "./shared-messages.ts";

const call = { kind: "unary", source, timeoutMs: 120_000 } as const;

export const usageMessage = message(name("VolumeUsage"), {
  available: int64(1),
  total: int64(2),
  used: int64(3),
  unit: enumeration(4, ["UNKNOWN", "BYTES", "INODES"]),
});

export const nodeCapabilityMessage = message(name("NodeServiceCapability"), {
  rpc: embedded(
    1,
    typeOf("NodeServiceCapability.RPC", [
      "UNKNOWN",
      "STAGE_UNSTAGE_VOLUME",
      "GET_VOLUME_STATS",
      "EXPAND_VOLUME",
      "VOLUME_CONDITION",
      "SINGLE_NODE_MULTI_WRITER",
      "VOLUME_MOUNT_GROUP",
    ]),
  ),
});

export const nodeService = defineService({
  name: "csi.v1.Node",
  methods: {
    nodeStageVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Node/NodeStageVolume",
      request: message(name("NodeStageVolumeRequest"), {
        volume_id: string(1),
        publish_context: stringMap(2),
        staging_target_path: string(3),
        volume_capability: embedded(4, capabilityMessage),
        secrets: stringMap(5),
        volume_context: stringMap(6),
      }),
      response: message(name("NodeStageVolumeResponse"), {}),
    },
    nodeUnstageVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Node/NodeUnstageVolume",
      request: message(name("NodeUnstageVolumeRequest"), { volume_id: string(1), staging_target_path: string(2) }),
      response: message(name("NodeUnstageVolumeResponse"), {}),
    },
    nodePublishVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Node/NodePublishVolume",
      request: message(name("NodePublishVolumeRequest"), {
        volume_id: string(1),
        publish_context: stringMap(2),
        staging_target_path: string(3),
        target_path: string(4),
        volume_capability: embedded(5, capabilityMessage),
        readonly: bool(6),
        secrets: stringMap(7),
        volume_context: stringMap(8),
      }),
      response: message(name("NodePublishVolumeResponse"), {}),
    },
    nodeUnpublishVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Node/NodeUnpublishVolume",
      request: message(name("NodeUnpublishVolumeRequest"), { volume_id: string(1), target_path: string(2) }),
      response: message(name("NodeUnpublishVolumeResponse"), {}),
    },
    nodeGetVolumeStats: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Node/NodeGetVolumeStats",
      request: message(name("NodeGetVolumeStatsRequest"), {
        volume_id: string(1),
        volume_path: string(2),
        staging_target_path: string(3),
      }),
      response: message(name("NodeGetVolumeStatsResponse"), {
        usage: repeated(1, usageMessage),
        volume_condition: embedded(2, conditionMessage),
      }),
    },
    nodeExpandVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Node/NodeExpandVolume",
      request: message(name("NodeExpandVolumeRequest"), {
        volume_id: string(1),
        volume_path: string(2),
        capacity_range: embedded(3, capacityRangeMessage),
        staging_target_path: string(4),
        volume_capability: embedded(5, capabilityMessage),
        secrets: stringMap(6),
      }),
      response: message(name("NodeExpandVolumeResponse"), { capacity_bytes: int64(1) }),
    },
    nodeGetCapabilities: {
      ...call,
      path: "/csi.v1.Node/NodeGetCapabilities",
      request: message(name("NodeGetCapabilitiesRequest"), {}),
      response: message(name("NodeGetCapabilitiesResponse"), { capabilities: repeated(1, nodeCapabilityMessage) }),
    },
    nodeGetInfo: {
      ...call,
      path: "/csi.v1.Node/NodeGetInfo",
      request: message(name("NodeGetInfoRequest"), {}),
      response: message(name("NodeGetInfoResponse"), {
        node_id: string(1),
        max_volumes_per_node: int64(2),
        accessible_topology: embedded(3, topologyMessage),
      }),
    },
  },
});
