import { type ImplementedService, implementService } from "../../grpc/index.ts";
import { identityService } from "../services/identity-service.ts";
import type { CsiContext } from "./context.ts";
import { expands } from "./expansion.ts";

/** Who the plugin is. Ready from the start: a driver is opened before it is served. */
export function createIdentity(context: CsiContext): ImplementedService {
  const { pluginName, version, scope } = context;
  const types = [
    "CONTROLLER_SERVICE",
    ...(scope === "local" ? ["VOLUME_ACCESSIBILITY_CONSTRAINTS" as const] : []),
  ] as const;
  return implementService(identityService, {
    getPluginInfo: async () => ({ name: pluginName, vendor_version: version }),
    getPluginCapabilities: async () => ({
      capabilities: [
        ...types.map((type) => ({ service: { type } })),
        ...(expands(context) ? [{ volume_expansion: { type: "ONLINE" as const } }] : []),
      ],
    }),
    probe: async () => ({ ready: { value: true } }),
  });
}
