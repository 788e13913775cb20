import { toCleatError } from "../../errors/index.ts";
import type { CsiFacts, CsiPeer } from "./peer.ts";
import { changeRecord, readRecord } from "./provisioned.ts";

type AttachRequest = Omit<Parameters<CsiPeer["controller"]["controllerPublishVolume"]>[0], "node_id">;

/**
 * Attaches volumes to this host and detaches them, where the plugin's controller does that. The node is recorded first,
 * so that a volume is detached from the one that it was attached to, whatever the plugin calls this host by then.
 */
export interface Attachments {
  /** Resolves to what the node is to be told. Safe to repeat. */
  attach(folder: string, request: AttachRequest, facts: CsiFacts, signal: AbortSignal): Promise<Record<string, string>>;
  detach(folder: string, volumeId: string, facts: CsiFacts, signal: AbortSignal): Promise<void>;
}

export function createAttachments(
  { controller }: Pick<CsiPeer, "controller">,
  secrets: Readonly<Record<string, string>>,
): Attachments {
  const detachFrom = (node_id: string, volume_id: string, signal: AbortSignal) =>
    controller.controllerUnpublishVolume({ volume_id, node_id, secrets }, { signal });
  /** A node that is gone has nothing attached. */
  const detachFromAnother = (node_id: string, volume_id: string, signal: AbortSignal) =>
    detachFrom(node_id, volume_id, signal).catch(unlessNotFound);
  return {
    async attach(folder, request, facts, signal) {
      if (!publishes(facts)) return {};
      const { node_id } = facts.info;
      const { attachedTo } = (await readRecord(folder)) ?? {};
      if (attachedTo !== undefined && attachedTo !== node_id) {
        // Nobody may have detached it before a reboot.
        await detachFromAnother(attachedTo, request.volume_id ?? "", signal);
      }
      if (attachedTo !== node_id) await changeRecord(folder, { attachedTo: node_id });
      return (await controller.controllerPublishVolume({ ...request, node_id }, { signal })).publish_context;
    },
    /** The record stays: on a full disk a volume can be given back, and it does no harm to detach one twice. */
    async detach(folder, volumeId, facts, signal) {
      if (!publishes(facts)) return;
      const { attachedTo = facts.info.node_id } = (await readRecord(folder)) ?? {};
      const isThis = attachedTo === facts.info.node_id;
      await (isThis ? detachFrom : detachFromAnother)(attachedTo, volumeId, signal);
    },
  };
}

function unlessNotFound(error: unknown): void {
  if (toCleatError(error).code !== "NOT_FOUND") throw error;
}

const publishes = ({ controller }: CsiFacts): boolean => controller.has("PUBLISH_UNPUBLISH_VOLUME");
