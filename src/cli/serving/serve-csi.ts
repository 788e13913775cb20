import { defineCommand } from "../terminal/command.ts";
import { csiOptions, openCsiDoor } from "./doors/csi-door.ts";
import { serveDoors } from "./doors/serve-doors.ts";
import { outputOptions } from "./options/serving-options.ts";

export const serveCsi = defineCommand({
  details: [
    "The volumes of serve volume, for Kubernetes and Nomad: controller and node in one process, as root, in the mount",
    "namespace of whatever runs the containers. Parameters and secrets of a storage class are the options of serve",
    "volume, and a requested capacity becomes the size. Volumes are each node's own, so each node has a provisioner",
    "beside it: external-provisioner with --node-deployment.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. Mounts stay: containers run on.",
  ],
  options: { ...csiOptions, ...outputOptions },
  async run(values, _operands, context) {
    await serveDoors(values, context, async (logger) => [await openCsiDoor(values, context, logger)]);
    return "done";
  },
});
