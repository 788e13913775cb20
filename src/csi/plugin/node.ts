import { isAbsolute, resolve } from "node:path";
import { CleatError, quoteText, toCleatError } from "../../errors/index.ts";
import { type ImplementedService, implementService } from "../../grpc/index.ts";
import { volumeNamePattern } from "../../volume/index.ts";
import { nodeService } from "../services/node-service.ts";
import { assertCapable, type VolumeCapability } from "./capabilities.ts";
import type { CsiContext, HeldVolumes } from "./context.ts";
import { expands, expandVolume } from "./expansion.ts";
import { assertGiven, findVolume, giveBack } from "./find-volume.ts";
import { toPublishFlags } from "./publish-flags.ts";
import type { Publisher } from "../showing/publisher.ts";
import { topologyOf } from "./topology.ts";

/**
 * Brings volumes to containers. The target path is the holder's name, so that who holds a volume is known to the driver
 * alone, and to the kernel: a call that is repeated, by this process or the next, finds what there is. What is asked of
 * one volume is done in order, so that what was looked at is so until it is acted upon.
 */
export function createNode(context: CsiContext, publisher: Publisher): ImplementedService {
  const { driver, scope, turns } = context;
  const unimplemented = (method: string) => async () => {
    throw new CleatError("UNIMPLEMENTED", `${method} is not needed for volumes of "${driver.name}"`);
  };
  return implementService(nodeService, {
    nodeStageVolume: unimplemented("NodeStageVolume"),
    nodeUnstageVolume: unimplemented("NodeUnstageVolume"),
    async nodePublishVolume(request, { signal }) {
      const { volume_id: id, volume_capability: capability } = request;
      const capabilities = [capability];
      assertCapable(capabilities, scope);
      const target = toTarget(request.target_path);
      await findVolume(id, context, signal);
      const flags = toPublishFlags(capability?.mount?.mount_flags ?? [], request.readonly || isReadOnly(capability));
      return turns.take(id, signal, async () => {
        const source = await driver.mount(id, target, { signal });
        try {
          if (isSingleWriter(capability)) await assertAlone(id, source, target, driver, publisher);
          await publisher.publish(source, target, flags, signal);
        } catch (error) {
          const { isHere } = await publisher.placesOf(source, target);
          if (!isHere) await driver.unmount(id, target); // otherwise somebody holds it since an earlier call
          throw error;
        }
        return {};
      });
    },
    async nodeUnpublishVolume({ volume_id: id, target_path: path }, { signal }) {
      assertGiven(id, "volume_id");
      const target = toTarget(path);
      return turns.take(id, signal, async () => {
        const volume = await lookUp(id, driver, signal);
        const isOurs = volume?.path !== undefined || (volume !== undefined && holdersOf(id, driver)?.includes(target));
        if (isOurs !== true) await assertFree(target, publisher);
        await publisher.unpublish(volume?.path, target, signal);
        await giveBack(id, target, context, signal);
        return {};
      });
    },
    async nodeGetVolumeStats({ volume_id: id, volume_path: path }, { signal }) {
      await findVolume(id, context, signal);
      assertGiven(path, "volume_path");
      const { bytes, inodes } = await publisher.statistics(path, signal);
      return {
        usage: [
          { ...bytes, unit: "BYTES" },
          { ...inodes, unit: "INODES" },
        ],
      };
    },
    async nodeExpandVolume({ volume_id: id, volume_path: path, capacity_range: range }, { signal }) {
      await findVolume(id, context, signal);
      assertGiven(path, "volume_path");
      return turns.take(id, signal, async () => {
        if (await publisher.isTaken(path)) return { capacity_bytes: await expandVolume(id, range, context, signal) };
        throw new CleatError("NOT_FOUND", `volume "${id}" is not published at ${quoteText(path)}`);
      });
    },
    nodeGetCapabilities: async () => ({ capabilities: rpcsOf(context).map((type) => ({ rpc: { type } })) }),
    nodeGetInfo: async () => ({ node_id: context.nodeId, accessible_topology: topologyOf(context) }),
  });
}

function rpcsOf(context: CsiContext) {
  const always = ["GET_VOLUME_STATS", "SINGLE_NODE_MULTI_WRITER"] as const;
  return expands(context) ? ([...always, "EXPAND_VOLUME"] as const) : always;
}

const isReadOnly = (capability: VolumeCapability | undefined): boolean =>
  (capability?.access_mode?.mode ?? "").endsWith("READER_ONLY");

/**
 * SINGLE_NODE_WRITER is not one: where a plugin knows the newer modes, orchestrators mean by it what it means to
 * older ones, any number of containers of one node.
 *
 * Source: container-storage-interface/spec v1.9.0 `csi.proto`, NodeServiceCapability.RPC.
 */
const isSingleWriter = (capability: VolumeCapability | undefined): boolean =>
  capability?.access_mode?.mode === "SINGLE_NODE_SINGLE_WRITER";

/**
 * By its holders, where the driver tells: volumes of one share look alike to the kernel.
 * @throws FAILED_PRECONDITION when the volume is shown elsewhere, too.
 */
async function assertAlone(
  id: string,
  source: string,
  target: string,
  driver: HeldVolumes,
  publisher: Publisher,
): Promise<void> {
  const { elsewhere } = await publisher.placesOf(source, target);
  const holders = holdersOf(id, driver)?.filter((holder) => isAbsolute(holder) && holder !== target);
  const places = holders === undefined ? elsewhere : await placesOfHolders(source, holders, elsewhere, publisher);
  const [other] = places;
  if (other === undefined) return;
  throw new CleatError("FAILED_PRECONDITION", `volume for a single writer is published at ${quoteText(other)}`);
}

/** Of the places where `source` is shown, those that holders have, by whatever path. */
async function placesOfHolders(
  source: string,
  holders: readonly string[],
  places: readonly string[],
  publisher: Publisher,
): Promise<string[]> {
  const shown = await Promise.all(holders.map(async (holder) => publisher.placesOf(source, holder)));
  const besides = shown.filter(({ isHere }) => isHere).map(({ elsewhere }) => new Set(elsewhere));
  return places.filter((place) => besides.some((beside) => !beside.has(place)));
}

/** Who has it mounted; `undefined` where the driver does not tell. */
function holdersOf(id: string, driver: HeldVolumes): readonly string[] | undefined {
  try {
    return driver.holders?.(id);
  } catch (error) {
    if (toCleatError(error).code !== "NOT_FOUND") throw error;
    return [];
  }
}

/**
 * The target path in one spelling, without doubled and trailing slashes: it is a holder's name.
 *
 * @throws INVALID_ARGUMENT for no path, one that is not absolute, or one that leads up.
 */
function toTarget(path: string): string {
  assertGiven(path, "target_path");
  if (isAbsolute(path) && !path.split("/").includes("..") && !path.includes("\0")) return resolve(path);
  throw new CleatError("INVALID_ARGUMENT", `target path ${quoteText(path)} is not an absolute path without ".."`);
}

/**
 * Where a volume's files are, as far as that is known: a driver knows it also while the volume's server does not
 * answer. `undefined` when there is no such volume.
 */
async function lookUp(
  id: string,
  driver: HeldVolumes,
  signal: AbortSignal,
): Promise<{ readonly path?: string | undefined } | undefined> {
  if (!volumeNamePattern.test(id)) return undefined;
  try {
    return { path: await driver.path(id, { signal }) };
  } catch (error) {
    return toCleatError(error).code === "NOT_FOUND" ? undefined : {};
  }
}

/**
 * @throws NOT_FOUND when something is shown at the target: of no volume that is known to be
 * mounted, it is somebody else's.
 */
async function assertFree(target: string, publisher: Publisher): Promise<void> {
  if (!(await publisher.isTaken(target))) return;
  throw new CleatError(
    "NOT_FOUND",
    `what is mounted at ${quoteText(target)} is of no volume with such an id that is mounted`,
  );
}
