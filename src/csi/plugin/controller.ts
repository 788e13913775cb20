import { CleatError } from "../../errors/index.ts";
import { type ImplementedService, implementService, toTimestamp } from "../../grpc/index.ts";
import { controllerService } from "../services/controller-service.ts";
import { assertCapable, whyNotCapable } from "./capabilities.ts";
import { bytesOf } from "./capacity.ts";
import type { CsiContext } from "./context.ts";
import { expands, expandVolume } from "./expansion.ts";
import { assertGiven, findVolume, removeVolume } from "./find-volume.ts";
import { pageOf } from "./pages.ts";
import { assertReachable, topologyOf } from "./topology.ts";
import { isSnapshotId, toSnapshotId, toVolumeId } from "./volume-id.ts";

type Source = {
  readonly snapshot?: { snapshot_id: string } | undefined;
  readonly volume?: { volume_id: string } | undefined;
};

/**
 * Makes and deletes volumes. What orchestrators may ask twice (all of it) the driver takes twice: `create` of a volume
 * that is there with the same options succeeds, and what is gone is deleted.
 */
export function createController(context: CsiContext): ImplementedService {
  const { driver, scope, sourceOption } = context;
  const topology = topologyOf(context);
  const describe = (id: string, capacityBytes = 0n, source?: Source) => ({
    volume_id: id,
    capacity_bytes: capacityBytes,
    content_source: source,
    accessible_topology: topology === undefined ? [] : [topology],
  });
  const unimplemented = (method: string) => async () => {
    throw new CleatError("UNIMPLEMENTED", `${method} is not needed for volumes of "${driver.name}"`);
  };
  return implementService(controllerService, {
    async createVolume(request, { signal }) {
      const id = toVolumeId(request.name);
      assertCapable(request.volume_capabilities, scope);
      assertReachable(request.accessibility_requirements, context);
      const source = request.volume_content_source;
      const bytes = bytesOf(request.capacity_range);
      const options = {
        ...request.parameters,
        ...request.secrets,
        ...sizeOption(context, bytes),
        ...(await sourceOptionOf(source, context, signal)),
      };
      await driver.create(id, { options }, { signal });
      return { volume: describe(id, context.sizeOption === undefined ? 0n : bytes, source) };
    },
    async deleteVolume({ volume_id: id }, { signal }) {
      assertGiven(id, "volume_id");
      await removeVolume(id, context, signal);
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
      const names = (await driver.list({ signal })).map(({ name }) => name).filter((name) => !isSnapshotId(name));
      const { ids, nextToken } = pageOf(names, maxEntries, token);
      return { entries: ids.map((id) => ({ volume: describe(id) })), next_token: nextToken };
    },
    getCapacity: unimplemented("GetCapacity"),
    controllerGetCapabilities: async () => ({
      capabilities: rpcsOf(context).map((type) => ({ rpc: { type } })),
    }),
    async createSnapshot({ name, source_volume_id: source, parameters, secrets }, { signal }) {
      if (sourceOption === undefined) return unimplemented("CreateSnapshot")();
      assertGiven(source, "source_volume_id");
      const id = toSnapshotId(name);
      await findVolume(source, context, signal);
      await driver.create(id, { options: { ...parameters, ...secrets, [sourceOption]: source } }, { signal });
      const { createdAt = new Date(0) } = await driver.get(id, { signal });
      const creation_time = toTimestamp(BigInt(createdAt.getTime()) * nanosecondsPerMillisecond);
      return { snapshot: { snapshot_id: id, source_volume_id: source, creation_time, ready_to_use: true } };
    },
    async deleteSnapshot({ snapshot_id: id }, { signal }) {
      assertGiven(id, "snapshot_id");
      if (isSnapshotId(id)) await removeVolume(id, context, signal);
      return {};
    },
    controllerExpandVolume: async ({ volume_id: id, capacity_range: range }, { signal }) => ({
      capacity_bytes: await context.turns.take(id, signal, () => expandVolume(id, range, context, signal)),
      node_expansion_required: false,
    }),
  });
}

const nanosecondsPerMillisecond = 1_000_000n;

/**
 * A node's own volumes are expanded by the node: Kubernetes' external-resizer asks one controller of a cluster, which
 * may be another node's, unless controllers say that they do not expand.
 */
function rpcsOf(context: CsiContext) {
  return [
    ...(["CREATE_DELETE_VOLUME", "LIST_VOLUMES", "SINGLE_NODE_MULTI_WRITER"] as const),
    ...(context.sourceOption === undefined ? [] : (["CLONE_VOLUME", "CREATE_DELETE_SNAPSHOT"] as const)),
    ...(expands(context) && context.scope === "global" ? (["EXPAND_VOLUME"] as const) : []),
  ];
}

/**
 * A size that the driver cannot hold to is not promised: the volume's capacity is then unknown, as an NFS share's is.
 */
function sizeOption({ sizeOption: option }: CsiContext, bytes: bigint | undefined): Record<string, string> {
  return option === undefined || bytes === undefined ? {} : { [option]: String(bytes) };
}

/** @throws INVALID_ARGUMENT where volumes are not made from others. @throws NOT_FOUND when there is no such source. */
async function sourceOptionOf(
  source: Source | undefined,
  context: CsiContext,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (source === undefined) return {};
  const { sourceOption: option, driver } = context;
  const id = source.snapshot?.snapshot_id ?? source.volume?.volume_id;
  if (id === undefined || id === "") throw new CleatError("INVALID_ARGUMENT", "volume_content_source names no source");
  if (option === undefined) {
    throw new CleatError("INVALID_ARGUMENT", `volumes of "${driver.name}" are not made from others`);
  }
  await findVolume(id, context, signal);
  return { [option]: id };
}
