import { CleatError, toCleatError } from "../../errors/index.ts";
import { type GrpcImplementation, toTimestamp } from "../../grpc/index.ts";
import { type Volume, volumeNamePattern } from "../../volume/index.ts";
import type { controllerService } from "../services/controller-service.ts";
import type { CsiContext } from "./context.ts";
import { assertGiven, findVolume, isWhole, lookUp, orInvalid, removeVolume } from "./find-volume.ts";
import { givenOptions } from "./given-options.ts";
import { pageOf } from "./pages.ts";
import { leastSizeOf, shownOption } from "./shown-options.ts";
import { isSnapshotId, toSnapshotId } from "./volume-id.ts";

type Snapshots = Pick<
  GrpcImplementation<typeof controllerService>,
  "createSnapshot" | "deleteSnapshot" | "listSnapshots"
>;

/**
 * Snapshots are volumes of the driver's that were made from others, with ids that no volume has. Each is whole by
 * itself: its source may be deleted. One that is asked for again is there, also when its source is gone meanwhile.
 *
 * Source: container-storage-interface/spec v1.9.0 `spec.md`, CreateSnapshot, DeleteSnapshot and ListSnapshots.
 */
export function createSnapshots(context: CsiContext): Snapshots {
  const { driver, sourceOption } = context;
  const assertOffered = () => {
    if (sourceOption !== undefined) return;
    throw new CleatError("UNIMPLEMENTED", `volumes of "${driver.name}" are not made from others`);
  };
  const describe = (volume: Volume, source = shownOption(volume, sourceOption)) => ({
    snapshot_id: volume.name,
    source_volume_id: source,
    size_bytes: leastSizeOf(volume, context) ?? 0n, // unknown
    creation_time: toTimestamp(BigInt(volume.createdAt?.getTime() ?? 0) * nanosecondsPerMillisecond),
    ready_to_use: isWhole(volume, context),
  });
  return {
    async createSnapshot({ name, source_volume_id: source, ...given }, { signal }) {
      assertOffered();
      assertGiven(source, "source_volume_id");
      const id = toSnapshotId(name);
      const there = await lookUp(id, context, signal);
      const theirs = there && shownOption(there, sourceOption);
      if (theirs !== undefined && theirs !== source) {
        throw new CleatError("ALREADY_EXISTS", `snapshot "${id}" exists, and is of volume "${theirs}"`);
      }
      if (there === undefined || theirs === undefined || !isWhole(there, context)) {
        await findVolume(source, context, signal);
        const options = { ...givenOptions(given), ...copyOptionsOf(source, context) };
        await driver.create(id, { options }, { signal }).catch(orInvalid);
      }
      return { snapshot: describe(await driver.get(id, { signal }), source) };
    },
    async deleteSnapshot({ snapshot_id: id }, { signal }) {
      assertOffered();
      assertGiven(id, "snapshot_id");
      if (isSnapshotId(id)) await removeVolume(id, context, signal);
      return {};
    },
    async listSnapshots({ max_entries: maxEntries, starting_token: token, ...wanted }, { signal }) {
      assertOffered();
      const { snapshot_id: id, source_volume_id: source } = wanted;
      const isWanted = (volume: Volume) =>
        isSnapshotId(volume.name) &&
        (id === "" || volume.name === id) &&
        (source === "" || shownOption(volume, sourceOption) === source);
      const names = (await driver.list({ signal })).filter(isWanted).map(({ name }) => name);
      const { ids, nextToken } = pageOf(names, maxEntries, token);
      const left: Volume[] = []; // others have gone since they were listed
      for (let at = 0; at < ids.length; at += lookedAtOnce) {
        const some = ids.slice(at, at + lookedAtOnce).map((name) => lookUp(name, context, signal));
        left.push(...(await Promise.all(some)).filter((volume) => volume !== undefined));
      }
      return { entries: left.map((volume) => ({ snapshot: describe(volume) })), next_token: nextToken };
    },
  };
}

/** So that none waits for long: a driver looks at its files for each, with a deadline. */
const lookedAtOnce = 64;

const nanosecondsPerMillisecond = 1_000_000n;

/** @throws NOT_FOUND when there is no such snapshot. */
export async function findSnapshot(id: string, { driver }: CsiContext, signal: AbortSignal): Promise<Volume> {
  if (isSnapshotId(id) && volumeNamePattern.test(id)) return driver.get(id, { signal });
  throw new CleatError("NOT_FOUND", "no snapshot has such an id");
}

/** @throws INVALID_ARGUMENT where volumes like that are not copied: it is of no use to ask again. */
function copyOptionsOf(source: string, { driver, sourceOption }: CsiContext): Readonly<Record<string, string>> {
  try {
    return driver.copyOptions?.(source) ?? { [sourceOption as string]: source };
  } catch (error) {
    if (toCleatError(error).code !== "UNIMPLEMENTED") throw error;
    throw new CleatError("INVALID_ARGUMENT", `volume "${source}" is of a kind that is not copied`, { cause: error });
  }
}
