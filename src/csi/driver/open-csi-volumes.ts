import { randomUUID } from "node:crypto";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { CleatError, errorCodes, isSystemError, quoteText, toCleatError } from "../../errors/index.ts";
import { makeFolders } from "../../files/index.ts";
import type { MessageIn } from "../../grpc/index.ts";
import {
  isMountPoint,
  type ManagedVolume,
  type ManagedVolumes,
  type ManagedVolumesSettings,
  openManagedVolumes,
  type OptionsOf,
  sizeOption,
  textOption,
} from "../../volumedrivers/index.ts";
import type { capabilityMessage } from "../services/shared-messages.ts";
import { assertAsAsked, type MadeVolume, toMadeVolume } from "./made-volume.ts";
import { createAttachments } from "./attachments.ts";
import { type ExpandedVolume, expandVolume, finishExpansion } from "./expansion.ts";
import { assertController, createCsiPeer, type CsiFacts, type CsiPeer, type CsiPeerOptions } from "./peer.ts";
import { type Provisioned, type ProvisionRecord, readRecord, recordPath, writeRecord } from "./provisioned.ts";

export interface CsiVolumesOptions extends CsiPeerOptions, ManagedVolumesSettings {
  /** What the plugin wants to be told with each call, and nobody else is to know. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/**
 * The volumes of a CSI plugin, as a volume driver for Docker and Podman on one host: a cluster orchestrator of one
 * node. The plugin runs as it would under Kubernetes, as root and in the same mount namespace; nothing of a cluster is
 * needed.
 *
 * Options of a volume: `size` becomes the capacity, `from` a volume of this driver to be cloned, `fstype` the file
 * system; any other is a parameter of the plugin, as in a storage class. Secrets are the operator's, not the user's.
 *
 * A plugin gives the same volume to whoever asks by the same name, so each is asked for by a name that no other host
 * and no later volume has, recorded before: after `kill -9` a volume that was being made is made again by that name,
 * which is how its id is learned, and deleted.
 *
 * Source: container-storage-interface/spec v1.9.0 `spec.md`, "Volume Lifecycle".
 * @throws what `openManagedVolumes` throws. A plugin that does not answer yet fails the calls that need it; the log
 * says so at once.
 */
export async function openCsiVolumes(options: CsiVolumesOptions): Promise<ManagedVolumes> {
  const { unix, controllerUnix, secrets = {}, ...settings } = options;
  const peer = createCsiPeer({ unix, ...(controllerUnix !== undefined && { controllerUnix }) });
  const { controller, node } = peer;
  const stagingOf = (volume: Volume) => join(settings.folder, "staging", volume.name);

  const expandedOf = async (volume: Volume, facts: CsiFacts): Promise<ExpandedVolume> => ({
    volumeId: (await there(volume)).volumeId,
    folder: volume.folder,
    capability: capabilityOf(volume),
    secrets,
    paths: { volume_path: volume.target, staging_target_path: stages(facts) ? stagingOf(volume) : "" },
    isMounted: isMountPoint(volume.target),
  });

  const attachments = createAttachments(peer, secrets);

  const volumes = await openManagedVolumes({
    ...settings,
    options: csiOptions,
    others: textOption(),
    async create(volume, call) {
      const { from } = volume.options;
      const source = from === undefined ? undefined : await call.withVolume(from, there);
      const askedName = toAskedName(volume.name);
      const asked = { askedName, ...(source !== undefined && { sourceId: source.volumeId }) };
      await writeRecord(volume.folder, asked);
      const made = await provision({ peer, secrets }, volume, asked, call.signal);
      await writeRecord(volume.folder, { ...asked, provisioned: made.provisioned });
      assertAsAsked(made, source?.volumeId, volume.options.size); // one that is not is known, and deleted
    },
    async mount(volume, call) {
      const { signal } = call;
      const facts = await peer.facts(signal);
      const { volumeId: volume_id, context: volume_context } = await there(volume);
      const common = { volume_id, volume_context, secrets, volume_capability: capabilityOf(volume) };
      const publish_context = await attachments.attach(volume.folder, common, facts, signal);
      const staging_target_path = stages(facts) ? stagingOf(volume) : "";
      if (stages(facts)) {
        await makeFolders(staging_target_path, 0o700);
        await node.nodeStageVolume({ ...common, publish_context, staging_target_path }, { signal });
      }
      const target_path = volume.target;
      await node.nodePublishVolume({ ...common, publish_context, staging_target_path, target_path }, { signal });
      assertSeen(target_path, facts);
      await finishExpansion(peer, await expandedOf(volume, facts), call);
    },
    async unmount(volume, { signal }) {
      const facts = await peer.facts(signal);
      const { volumeId: volume_id } = await there(volume);
      await node.nodeUnpublishVolume({ volume_id, target_path: volume.target }, { signal });
      if (stages(facts)) {
        const staging_target_path = stagingOf(volume);
        await node.nodeUnstageVolume({ volume_id, staging_target_path }, { signal });
        await rmdir(staging_target_path).catch(unlessGone);
      }
      await attachments.detach(volume.folder, volume_id, facts, signal);
    },
    async remove(volume, { signal }) {
      const record = await readRecord(volume.folder);
      if (record === undefined) return;
      const learn = async (asked: Asked) => provision({ peer, secrets }, volume, asked, signal).catch(unlessRefused);
      const made = record.provisioned ?? (await learn(askedOf(record, volume)))?.provisioned;
      if (made !== undefined) await controller.deleteVolume({ volume_id: made.volumeId, secrets }, { signal });
    },
    async resize(volume, sizeBytes, { signal }) {
      const { size: has = 0 } = volume.options;
      if (sizeBytes < has) {
        throw new CleatError("INVALID_ARGUMENT", `size ${sizeBytes} is less than the ${has} it has`);
      }
      const expanded = await expandedOf(volume, await peer.facts(signal));
      const given = await expandVolume(peer, expanded, sizeBytes, signal);
      return { ...toText(volume), size: String(given) };
    },
    async usage(volume, { signal }) {
      const { volumeId: volume_id } = await there(volume);
      const { usage } = await node.nodeGetVolumeStats({ volume_id, volume_path: volume.target }, { signal });
      const bytes = usage.find(({ unit }) => unit === "BYTES");
      const inodes = usage.find(({ unit }) => unit === "INODES");
      return {
        usedBytes: Number(bytes?.used ?? 0n),
        sizeBytes: bytes === undefined ? undefined : Number(bytes.total),
        inodes: inodes === undefined ? undefined : Number(inodes.used),
      };
    },
  }).catch(async (error: unknown) => {
    await peer.close();
    throw error;
  });
  const closing = new AbortController();
  void warnOfSilence(peer, options, closing.signal);
  return {
    ...volumes,
    async close() {
      closing.abort();
      await volumes.close();
      await peer.close();
    },
  };
}

/** After which a plugin is said not to answer. */
const answerTimeoutMs = 5_000;

/** Tells why a plugin does not answer, unless that is as the volumes are being closed. Never rejects. */
async function warnOfSilence(
  peer: CsiPeer,
  { unix, logger }: Pick<CsiVolumesOptions, "unix" | "logger">,
  closing: AbortSignal,
): Promise<void> {
  try {
    await peer.facts(AbortSignal.any([closing, AbortSignal.timeout(answerTimeoutMs)]));
  } catch (error) {
    if (closing.aborted) return;
    const why = toCleatError(error).message;
    logger?.warn({ socket: unix, error: why }, "the CSI plugin does not answer; its volumes wait for it");
  }
}

/** Makes it, or learns what was made: a plugin answers the same for the same name. */
async function provision(
  { peer, secrets }: { readonly peer: CsiPeer; readonly secrets: Readonly<Record<string, string>> },
  volume: Volume,
  asked: Asked,
  signal: AbortSignal,
): Promise<MadeVolume> {
  const { askedName: name, sourceId } = asked;
  const facts = await peer.facts(signal);
  assertController(facts, "CREATE_DELETE_VOLUME", "make volumes");
  if (sourceId !== undefined) assertController(facts, "CLONE_VOLUME", "clone volumes");
  const { size, from: _, fstype: __, ...parameters } = volume.options;
  const request = {
    name,
    parameters: parameters as Record<string, string>,
    secrets,
    volume_capabilities: [capabilityOf(volume)],
    ...(size !== undefined && { capacity_range: { required_bytes: BigInt(size) } }),
    ...(sourceId !== undefined && { volume_content_source: { volume: { volume_id: sourceId } } }),
    ...requirementsOf(facts),
  };
  const made = (await peer.controller.createVolume(request, { signal })).volume;
  if (made !== undefined && made.volume_id !== "") return toMadeVolume(made);
  throw new CleatError("INTERNAL", `CSI plugin ${quoteText(facts.name)} made a volume without an id`);
}

type Asked = ProvisionRecord & { readonly askedName: string };

/** "data-0b0e…": within the 128 bytes that a name may have. */
const toAskedName = (name: string): string => `${name.slice(0, 80)}-${randomUUID()}`;

/** @throws FAILED_PRECONDITION when it was asked for by a name by which others may have asked, too. */
function askedOf(record: ProvisionRecord, { name, folder }: Volume): Asked {
  const { askedName } = record;
  if (askedName !== undefined) return { ...record, askedName };
  throw new CleatError(
    "FAILED_PRECONDITION",
    `what came of asking the CSI plugin for ${quoteText(name)} is not known, and a volume of that name may be ` +
      `another host's: delete it by the plugin's own means where it is not, and then ${quoteText(recordPath(folder))}`,
  );
}

/** What the plugin said of a volume. @throws DATA_LOSS when that is not there any more. */
async function there({ name, folder }: Pick<Volume, "name" | "folder">): Promise<Provisioned> {
  const provisioned = (await readRecord(folder))?.provisioned;
  if (provisioned !== undefined) return provisioned;
  throw new CleatError("DATA_LOSS", `what the CSI plugin said of volume "${name}" is gone from "${folder}"`);
}

const csiOptions = { size: sizeOption().optional(), from: textOption().optional(), fstype: textOption().optional() };
type Volume = ManagedVolume<OptionsOf<typeof csiOptions>>;

/** Containers would write into the empty folder that is there otherwise, beside the volume. */
function assertSeen(target: string, { name }: CsiFacts): void {
  if (isMountPoint(target)) return;
  throw new CleatError(
    "FAILED_PRECONDITION",
    `CSI plugin ${quoteText(name)} has published it, and nothing is mounted at ${quoteText(target)}: ` +
      "it has to run in the mount namespace of this process",
  );
}

/** Its options as the user gave them. */
function toText({ options }: Volume): Record<string, string> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** Any number of containers of this host. */
function capabilityOf({ options }: Volume): MessageIn<typeof capabilityMessage> {
  return { mount: { fs_type: options.fstype ?? "" }, access_mode: { mode: "SINGLE_NODE_WRITER" } };
}

function requirementsOf({ plugin, info }: CsiFacts) {
  const here = info.accessible_topology;
  if (!plugin.has("VOLUME_ACCESSIBILITY_CONSTRAINTS") || here === undefined) return {};
  return { accessibility_requirements: { requisite: [here], preferred: [here] } };
}

const stages = ({ node }: CsiFacts): boolean => node.has("STAGE_UNSTAGE_VOLUME");

/** What is refused whenever it is asked was not made. */
function unlessRefused(error: unknown): undefined {
  const { code } = toCleatError(error);
  if (errorCodes[code].retryable && code !== "RESOURCE_EXHAUSTED") throw error;
  if (code === "UNKNOWN" || code === "INTERNAL" || code === "CANCELLED") throw error;
}

function unlessGone(error: unknown): void {
  if (!isSystemError(error, "ENOENT")) throw error;
}
