/** What every CSI plugin answers: who it is, and what it can do. */
import { defineService, embedded, message, repeated, string, stringMap } from "../../grpc/index.ts";
import { boolValue, name, source, typeOf } from "./shared-messages.ts";

const call = { kind: "unary", source, timeoutMs: 30_000 } as const;

export const pluginCapabilityMessage = message(name("PluginCapability"), {
  service: embedded(
    1,
    typeOf("PluginCapability.Service", [
      "UNKNOWN",
      "CONTROLLER_SERVICE",
      "VOLUME_ACCESSIBILITY_CONSTRAINTS",
      "GROUP_CONTROLLER_SERVICE",
    ]),
  ),
  volume_expansion: embedded(2, typeOf("PluginCapability.VolumeExpansion", ["UNKNOWN", "ONLINE", "OFFLINE"])),
});

export const identityService = defineService({
  name: "csi.v1.Identity",
  methods: {
    getPluginInfo: {
      ...call,
      path: "/csi.v1.Identity/GetPluginInfo",
      request: message(name("GetPluginInfoRequest"), {}),
      response: message(name("GetPluginInfoResponse"), {
        name: string(1),
        vendor_version: string(2),
        manifest: stringMap(3),
      }),
    },
    getPluginCapabilities: {
      ...call,
      path: "/csi.v1.Identity/GetPluginCapabilities",
      request: message(name("GetPluginCapabilitiesRequest"), {}),
      response: message(name("GetPluginCapabilitiesResponse"), { capabilities: repeated(1, pluginCapabilityMessage) }),
    },
    probe: {
      ...call,
      path: "/csi.v1.Identity/Probe",
      request: message(name("ProbeRequest"), {}),
      response: message(name("ProbeResponse"), { ready: embedded(1, boolValue) }),
    },
  },
});
