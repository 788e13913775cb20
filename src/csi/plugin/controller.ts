import { CleatError } from "../../errors/index.ts";
import { type ImplementedService, implementService } from "../../grpc/index.ts";
import type { Volume } from "../../volume/index.ts";
import { controllerService } from "../services/controller-service.ts";
import { assertCapable, whyNotCapable } from "./capabilities.ts";
import { capacityOf } from "./capacity.ts";
import { type ContentSource, findSource, nameOfSource, sourceOf } from "./content-source.ts";
import type { CsiContext } from "./context.ts";
import { expands, expandVolume } from "./expansion.ts";
import { assertGiven, findVolume, isWhole, lookUp, orInvalid, removeVolume } from "./find-volume.ts";
import { givenOptions } from "./given-options.ts";
import { pageOf } from "./pages.ts";
import { sizeOf } from "./shown-options.ts";
import { createSnapshots } from "./snapshots.ts";
import { assertReachable, topologyOf } from "./topology.ts";
import { isSnapshotId, toVolumeId } from "./volume-id.ts";

/**
 * Makes and deletes volumes. What orchestrators may ask twice (all of it) the driver takes twice: `create` of a volume
 * that is there with the same options succeeds, and what is gone is deleted.
 */
export function createController(context: CsiContext): ImplementedService {
  const { driver, scope, sizeOption, sourceOption } = context;
  const topology = topologyOf(context);
  const describe = (id: string, capacityBytes = 0n, source?: ContentSource) => ({
    volume_id: id,
    capacity_bytes: capacityBytes,
    content_source: source,
    accessible_topology: topology === undefined ? [] : [topology],
  });
  const describeShown = (volume: Volume) => describe(volume.name, sizeOf(volume, context), sourceOf(volume, context));
  const unimplemented = (method: string) => async () => {
    throw new CleatError("UNIMPLEMENTED", `${method} is not needed for volumes of "${driver.name}"`);
  };
  return implementService(controllerService, {
    async createVolume(request, { signal }) {
      const id = toVolumeId(request.name);
      assertCapable(request.volume_capabilities, scope);
      assertReachable(request.accessibility_requirements, context);
      const { capacity_range: range, volume_content_source: source } = request;
      const from = nameOfSource(source, context);
      const given = {
        ...givenOptions(request),
        ...(sourceOption !== undefined && from !== undefined && { [sourceOption]: from }),
      };
      const found = await lookUp(id, context, signal);
      const there = found !== undefined && isWhole(found, context) ? found : undefined;
      // One that is there already needs its source no more.
      const origin = there === undefined && source ? await findSource(source, context, signal) : undefined;
      const bytes = capacityOf(range, { there, origin, given }, context);
      const options = {
        ...given,
        ...(sizeOption !== undefined && bytes !== undefined && { [sizeOption]: String(bytes) }),
      };
      await driver.create(id, { options }, { signal }).catch(orInvalid);
      return { volume: describe(id, bytes, source) };
    },
    async deleteVolume({ volume_id: id }, { signal }) {
      assertGiven(id, "volume_id");
      if (!isSnapshotId(id)) await removeVolume(id, context, signal);
      return {};
    },
    controllerPublishVolume: unimplemented("ControllerPublishVolume"),
    controllerUnpublishVolume: unimplemented("ControllerUnpublishVolume"),
    async validateVolumeCapabilities({ volume_id: id, volume_capabilities: capabilities, ...request }, { signal }) {
      await findVolume(id, context, signal);
      if (capabilities.length === 0) throw new CleatError("INVALID_ARGUMENT", "request has no volume capability");
      const problem = capabilities
        .map((capability) => whyNotCapable(capability, scope))
        .find((why) => why !== undefined);
      if (problem !== undefined) return { message: problem };
      const { volume_context, parameters } = request;
      return { confirmed: { volume_capabilities: capabilities, volume_context, parameters } };
    },
    async listVolumes({ max_entries: maxEntries, starting_token: token }, { signal }) {
      const volumes = (await driver.list({ signal })).filter(({ name }) => !isSnapshotId(name));
      const byName = new Map(volumes.map((volume) => [volume.name, volume]));
      const { ids, nextToken } = pageOf([...byName.keys()], maxEntries, token);
      const found = ids.flatMap((id) => byName.get(id) ?? []);
      return { entries: found.map((volume) => ({ volume: describeShown(volume) })), next_token: nextToken };
    },
    getCapacity: unimplemented("GetCapacity"),
    controllerGetCapabilities: async () => ({
      capabilities: rpcsOf(context).map((type) => ({ rpc: { type } })),
    }),
    ...createSnapshots(context),
    controllerExpandVolume: async ({ volume_id: id, capacity_range: range }, { signal }) => ({
      capacity_bytes: await context.turns.take(id, signal, () => expandVolume(id, range, context, signal)),
      node_expansion_required: false,
    }),
  });
}

/**
 * A node's own volumes are expanded by the node: Kubernetes' external-resizer asks one controller of a cluster, which
 * may be another node's, unless controllers say that they do not expand.
 */
function rpcsOf(context: CsiContext) {
  return [
    ...(["CREATE_DELETE_VOLUME", "LIST_VOLUMES", "SINGLE_NODE_MULTI_WRITER"] as const),
    ...(context.sourceOption === undefined
      ? []
      : (["CLONE_VOLUME", "CREATE_DELETE_SNAPSHOT", "LIST_SNAPSHOTS"] as const)),
    ...(expands(context) && context.scope === "global" ? (["EXPAND_VOLUME"] as const) : []),
  ];
}
