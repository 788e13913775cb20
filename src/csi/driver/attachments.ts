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
  const detach: Attachments["detach"] = async (folder, volume_id, facts, signal) => {
    if (!publishes(facts)) return;
    const { attachedTo: node_id = facts.info.node_id } = (await readRecord(folder)) ?? {};
    await controller.controllerUnpublishVolume({ volume_id, node_id, secrets }, { signal });
    await changeRecord(folder, { attachedTo: undefined });
  };
  return {
    async attach(folder, request, facts, signal) {
      if (!publishes(facts)) return {};
      const { node_id } = facts.info;
      const { attachedTo = node_id } = (await readRecord(folder)) ?? {};
      // After a reboot nobody has detached it.
      if (attachedTo !== node_id) await detach(folder, request.volume_id ?? "", facts, signal);
      await changeRecord(folder, { attachedTo: node_id });
      return (await controller.controllerPublishVolume({ ...request, node_id }, { signal })).publish_context;
    },
    detach,
  };
}

const publishes = ({ controller }: CsiFacts): boolean => controller.has("PUBLISH_UNPUBLISH_VOLUME");
