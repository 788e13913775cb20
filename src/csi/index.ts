/** The Container Storage Interface, through which Kubernetes and Nomad use volume drivers. */
export { createCsiPlugin, type CsiPlugin, type CsiPluginOptions } from "./plugin/create-csi-plugin.ts";
export type { HeldVolumes } from "./plugin/context.ts";
export { controllerService } from "./services/controller-service.ts";
export { identityService } from "./services/identity-service.ts";
export { nodeService } from "./services/node-service.ts";
export { type CsiVolumesOptions, openCsiVolumes } from "./driver/open-csi-volumes.ts";
