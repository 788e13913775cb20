import { CleatError } from "../../errors/index.ts";
import type { MessageOut } from "../../grpc/index.ts";
import type { VolumeCapabilities } from "../../volume/index.ts";
import type { AccessMode, capabilityMessage } from "../services/shared-messages.ts";

export type VolumeCapability = MessageOut<typeof capabilityMessage>;

/**
 * Why volumes of a driver cannot be used as a capability says, or `undefined` where they can: as folders, by one node
 * at a time, or by several where all hosts see the same volumes.
 */
export function whyNotCapable(capability: VolumeCapability, scope: VolumeCapabilities["scope"]): string | undefined {
  const { block, mount, access_mode: accessMode } = capability;
  const mode = accessMode?.mode ?? "UNKNOWN";
  if (block !== undefined) return "volumes are folders, none is a block device";
  if (mount === undefined) return "volume capability says neither mount nor block";
  if (mode === "UNKNOWN") return "volume capability has no access mode that is known here";
  if (mount.fs_type !== "") return "the driver chooses the file system: a volume capability may not name one";
  if (mount.volume_mount_group !== "") return "volumes are not mounted for a group";
  if (isMultiNode(mode) && scope === "local")
    return `${mode} needs volumes that all hosts see; these are each host's own`;
  return undefined;
}

const isMultiNode = (mode: AccessMode): boolean => mode.startsWith("MULTI_NODE_");

/** @throws INVALID_ARGUMENT where there is no capability, or one that volumes do not have. */
export function assertCapable(
  capabilities: readonly (VolumeCapability | undefined)[],
  scope: VolumeCapabilities["scope"],
): asserts capabilities is readonly VolumeCapability[] {
  if (capabilities.length === 0) throw new CleatError("INVALID_ARGUMENT", "request has no volume capability");
  for (const capability of capabilities) {
    const problem = capability === undefined ? "request has no volume capability" : whyNotCapable(capability, scope);
    if (problem !== undefined) throw new CleatError("INVALID_ARGUMENT", problem);
  }
}
