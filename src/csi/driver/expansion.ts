import { CleatError, quoteText } from "../../errors/index.ts";
import type { MessageIn } from "../../grpc/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { capabilityMessage } from "../services/shared-messages.ts";
import type { CsiFacts, CsiPeer } from "./peer.ts";
import { changeRecord, readRecord } from "./provisioned.ts";

/** A volume that was made, as the plugin is told of it. */
export interface ExpandedVolume {
  readonly volumeId: string;
  /** Of the driver's records. */
  readonly folder: string;
  readonly capability: MessageIn<typeof capabilityMessage>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly paths: { readonly volume_path: string; readonly staging_target_path: string };
  readonly isMounted: boolean;
}

const canByController = ({ controller }: CsiFacts): boolean => controller.has("EXPAND_VOLUME");
const canByNode = ({ node }: CsiFacts): boolean => node.has("EXPAND_VOLUME");

/**
 * Lets a plugin give a volume another size, by its controller, by its node, or by both as it says; resolves
 * to the size that it has then. What only the node can do of a volume that is not mounted is noted, and done
 * when it is. Safe to repeat.
 *
 * Source: container-storage-interface/spec v1.9.0 `spec.md`, ControllerExpandVolume and NodeExpandVolume.
 * @throws UNIMPLEMENTED when the plugin does not, FAILED_PRECONDITION when it does so only while the volume is
 *   mounted, or only while it is not.
 */
export async function expandVolume(
  peer: CsiPeer,
  volume: ExpandedVolume,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const facts = await peer.facts(signal);
  const { volumeId: volume_id, capability: volume_capability, secrets, isMounted } = volume;
  if (!canByController(facts) && !canByNode(facts)) {
    throw new CleatError("UNIMPLEMENTED", `CSI plugin ${quoteText(facts.name)} does not expand volumes`);
  }
  if (isMounted && facts.expansion === "OFFLINE") {
    const message = `CSI plugin ${quoteText(facts.name)} expands no volume that is mounted`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }
  if (!isMounted && !canByController(facts)) {
    const message = `CSI plugin ${quoteText(facts.name)} expands only volumes that are mounted: mount it first`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }
  const request = { volume_id, volume_capability, secrets, capacity_range: { required_bytes: BigInt(sizeBytes) } };
  const byController = canByController(facts)
    ? await peer.controller.controllerExpandVolume(request, { signal })
    : { capacity_bytes: 0n, node_expansion_required: true };
  const given = largerOf(sizeBytes, byController.capacity_bytes);
  if (!byController.node_expansion_required) return given;
  await changeRecord(volume.folder, { nodeExpansionBytes: given });
  return isMounted ? expandNode(peer, volume, given, signal) : given;
}

/**
 * Does what is noted of a volume that was just mounted. What cannot be done now is for the next
 * time: the files are there.
 */
export async function finishExpansion(
  peer: CsiPeer,
  volume: ExpandedVolume,
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<void> {
  const { nodeExpansionBytes } = (await readRecord(volume.folder)) ?? {};
  if (nodeExpansionBytes === undefined) return;
  try {
    await expandNode(peer, volume, nodeExpansionBytes, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ err: error, volumeId: volume.volumeId }, "a volume's file system has not all of its size yet");
  }
}

async function expandNode(
  { node }: CsiPeer,
  { volumeId: volume_id, capability: volume_capability, secrets, paths, folder }: ExpandedVolume,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const capacity_range = { required_bytes: BigInt(sizeBytes) };
  const request = { volume_id, volume_capability, secrets, capacity_range, ...paths };
  const { capacity_bytes: given } = await node.nodeExpandVolume(request, { signal });
  await changeRecord(folder, { nodeExpansionBytes: undefined });
  return largerOf(sizeBytes, given);
}

/** @throws INTERNAL for a size that no number holds exactly: a record of it could not be read again. */
function largerOf(sizeBytes: number, given: bigint): number {
  if (given <= BigInt(Number.MAX_SAFE_INTEGER)) return Math.max(sizeBytes, Number(given));
  throw new CleatError("INTERNAL", `CSI plugin has given a volume ${given} bytes`);
}
