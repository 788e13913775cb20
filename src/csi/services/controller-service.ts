/** What makes and deletes volumes, on any node or beside the cluster. */
import {
  bool,
  defineService,
  embedded,
  int32,
  int64,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";
import {
  capabilityMessage,
  capacityRangeMessage,
  conditionMessage,
  contentSourceMessage,
  int64Value,
  name,
  source,
  topologyMessage,
  typeOf,
} from "./shared-messages.ts";

const call = { kind: "unary", source, timeoutMs: 120_000 } as const;

const volumeMessage = message(name("Volume"), {
  capacity_bytes: int64(1),
  volume_id: string(2),
  volume_context: stringMap(3),
  content_source: embedded(4, contentSourceMessage),
  accessible_topology: repeated(5, topologyMessage),
});

const snapshotMessage = message(name("Snapshot"), {
  size_bytes: int64(1),
  snapshot_id: string(2),
  source_volume_id: string(3),
  creation_time: embedded(4, timestamp),
  ready_to_use: bool(5),
});

export const controllerCapabilityMessage = message(name("ControllerServiceCapability"), {
  rpc: embedded(
    1,
    typeOf("ControllerServiceCapability.RPC", [
      "UNKNOWN",
      "CREATE_DELETE_VOLUME",
      "PUBLISH_UNPUBLISH_VOLUME",
      "LIST_VOLUMES",
      "GET_CAPACITY",
      "CREATE_DELETE_SNAPSHOT",
      "LIST_SNAPSHOTS",
      "CLONE_VOLUME",
      "PUBLISH_READONLY",
      "EXPAND_VOLUME",
      "LIST_VOLUMES_PUBLISHED_NODES",
      "VOLUME_CONDITION",
      "GET_VOLUME",
      "SINGLE_NODE_MULTI_WRITER",
      "MODIFY_VOLUME",
    ]),
  ),
});

export const controllerService = defineService({
  name: "csi.v1.Controller",
  methods: {
    createVolume: {
      ...call,
      subject: "name",
      path: "/csi.v1.Controller/CreateVolume",
      request: message(name("CreateVolumeRequest"), {
        name: string(1),
        capacity_range: embedded(2, capacityRangeMessage),
        volume_capabilities: repeated(3, capabilityMessage),
        parameters: stringMap(4),
        secrets: stringMap(5),
        volume_content_source: embedded(6, contentSourceMessage),
        accessibility_requirements: embedded(
          7,
          message(name("TopologyRequirement"), {
            requisite: repeated(1, topologyMessage),
            preferred: repeated(2, topologyMessage),
          }),
        ),
      }),
      response: message(name("CreateVolumeResponse"), { volume: embedded(1, volumeMessage) }),
    },
    deleteVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Controller/DeleteVolume",
      request: message(name("DeleteVolumeRequest"), { volume_id: string(1), secrets: stringMap(2) }),
      response: message(name("DeleteVolumeResponse"), {}),
    },
    controllerPublishVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Controller/ControllerPublishVolume",
      request: message(name("ControllerPublishVolumeRequest"), {
        volume_id: string(1),
        node_id: string(2),
        volume_capability: embedded(3, capabilityMessage),
        readonly: bool(4),
        secrets: stringMap(5),
        volume_context: stringMap(6),
      }),
      response: message(name("ControllerPublishVolumeResponse"), { publish_context: stringMap(1) }),
    },
    controllerUnpublishVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Controller/ControllerUnpublishVolume",
      request: message(name("ControllerUnpublishVolumeRequest"), {
        volume_id: string(1),
        node_id: string(2),
        secrets: stringMap(3),
      }),
      response: message(name("ControllerUnpublishVolumeResponse"), {}),
    },
    validateVolumeCapabilities: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Controller/ValidateVolumeCapabilities",
      request: message(name("ValidateVolumeCapabilitiesRequest"), {
        volume_id: string(1),
        volume_context: stringMap(2),
        volume_capabilities: repeated(3, capabilityMessage),
        parameters: stringMap(4),
        secrets: stringMap(5),
      }),
      response: message(name("ValidateVolumeCapabilitiesResponse"), {
        confirmed: embedded(
          1,
          message(name("ValidateVolumeCapabilitiesResponse.Confirmed"), {
            volume_context: stringMap(1),
            volume_capabilities: repeated(2, capabilityMessage),
            parameters: stringMap(3),
          }),
        ),
        message: string(2),
      }),
    },
    listVolumes: {
      ...call,
      path: "/csi.v1.Controller/ListVolumes",
      request: message(name("ListVolumesRequest"), { max_entries: int32(1), starting_token: string(2) }),
      response: message(name("ListVolumesResponse"), {
        entries: repeated(
          1,
          message(name("ListVolumesResponse.Entry"), {
            volume: embedded(1, volumeMessage),
            status: embedded(
              2,
              message(name("ListVolumesResponse.VolumeStatus"), {
                published_node_ids: repeatedStrings(1),
                volume_condition: embedded(2, conditionMessage),
              }),
            ),
          }),
        ),
        next_token: string(2),
      }),
    },
    getCapacity: {
      ...call,
      path: "/csi.v1.Controller/GetCapacity",
      request: message(name("GetCapacityRequest"), {
        volume_capabilities: repeated(1, capabilityMessage),
        parameters: stringMap(2),
        accessible_topology: embedded(3, topologyMessage),
      }),
      response: message(name("GetCapacityResponse"), {
        available_capacity: int64(1),
        maximum_volume_size: embedded(2, int64Value),
        minimum_volume_size: embedded(3, int64Value),
      }),
    },
    controllerGetCapabilities: {
      ...call,
      path: "/csi.v1.Controller/ControllerGetCapabilities",
      request: message(name("ControllerGetCapabilitiesRequest"), {}),
      response: message(name("ControllerGetCapabilitiesResponse"), {
        capabilities: repeated(1, controllerCapabilityMessage),
      }),
    },
    createSnapshot: {
      ...call,
      subject: "name",
      path: "/csi.v1.Controller/CreateSnapshot",
      request: message(name("CreateSnapshotRequest"), {
        source_volume_id: string(1),
        name: string(2),
        secrets: stringMap(3),
        parameters: stringMap(4),
      }),
      response: message(name("CreateSnapshotResponse"), { snapshot: embedded(1, snapshotMessage) }),
    },
    deleteSnapshot: {
      ...call,
      subject: "snapshot_id",
      path: "/csi.v1.Controller/DeleteSnapshot",
      request: message(name("DeleteSnapshotRequest"), { snapshot_id: string(1), secrets: stringMap(2) }),
      response: message(name("DeleteSnapshotResponse"), {}),
    },
    listSnapshots: {
      ...call,
      path: "/csi.v1.Controller/ListSnapshots",
      request: message(name("ListSnapshotsRequest"), {
        max_entries: int32(1),
        starting_token: string(2),
        source_volume_id: string(3),
        snapshot_id: string(4),
        secrets: stringMap(5),
      }),
      response: message(name("ListSnapshotsResponse"), {
        entries: repeated(1, message(name("ListSnapshotsResponse.Entry"), { snapshot: embedded(1, snapshotMessage) })),
        next_token: string(2),
      }),
    },
    controllerExpandVolume: {
      ...call,
      subject: "volume_id",
      path: "/csi.v1.Controller/ControllerExpandVolume",
      request: message(name("ControllerExpandVolumeRequest"), {
        volume_id: string(1),
        capacity_range: embedded(2, capacityRangeMessage),
        secrets: stringMap(3),
        volume_capability: embedded(4, capabilityMessage),
      }),
      response: message(name("ControllerExpandVolumeResponse"), {
        capacity_bytes: int64(1),
        node_expansion_required: bool(2),
      }),
    },
  },
});
