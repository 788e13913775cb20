import { CleatError } from "../../errors/index.ts";
import type { CreateOptions, MountSpec } from "../../graphdriver/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { ListedPlace, MayLieOn, NewPlace, PlaceUse, SnapshotStorage } from "../snapshot-storage.ts";
import type { HomeSync } from "./home-sync.ts";
import { rootOf, toMountOptions } from "./id-remap.ts";
import { layerOf, placeOf } from "./layer-names.ts";
import { isRootMarkedOpaque } from "./opaque-root.ts";
import { foldersOf, toUnpackedMount } from "./overlay-folders.ts";
import { giveRootItsOwner } from "./root-owner.ts";
import type { ServableDriver } from "./servable-driver.ts";

export interface LayerStorageOptions {
  /** Closed with the storage, as is the next. */
  readonly driver: ServableDriver;
  /** Without it, when what is written becomes durable is left to the kernel. */
  readonly homeSync: HomeSync | undefined;
  /**
   * Whether the records of snapshots are flushed to the file system of the layers, which brings the names of these
   * along.
   */
  readonly mendable: boolean;
  /** Whether a layer gets its parent when it is committed, where the driver can give it one. */
  readonly rebase: boolean;
  /** Whether engines are told to map the ids of a mount, and root of the mapped has the root of a layer on others. */
  readonly remapIds: boolean;
  readonly logger: Logger;
}

/** Layers of a graph driver as the places of snapshots, each named by its number. */
export function createLayerStorage(options: LayerStorageOptions): SnapshotStorage {
  const { driver, homeSync, logger } = options;
  const rebase = options.rebase ? driver.rebase?.bind(driver) : undefined;
  const mend = driver.mend?.bind(driver);
  const { remove, left, settled } = createRemovals(driver);
  const remapOf = ({ remap }: PlaceUse) => (options.remapIds ? remap : undefined);
  const toStorageOptions = createSizeOptions(driver, logger);

  const mountOf = async (id: number, use: PlaceUse): Promise<MountSpec> => {
    const [mount] = await driver.mounts(layerOf(id), { readOnly: use.isReadOnly });
    if (mount === undefined) throw new Error(`driver "${driver.name}" tells no mount of layer "${layerOf(id)}"`);
    return mount;
  };
  const toMounts = (mount: MountSpec, use: PlaceUse): readonly MountSpec[] => {
    const isAlone = rebase !== undefined && foldersOf(mount).lower === undefined;
    if (isAlone && use.isUnpacked && !use.isReadOnly) return [toUnpackedMount(mount)];
    const remap = remapOf(use);
    return [remap === undefined ? mount : { ...mount, options: [...toMountOptions(remap), ...mount.options] }];
  };
  // What was there before anything was made or removed is swept first, without a second look at each. From then on what
  // belongs to nobody is what this process could not remove: engines that collect garbage wait for each sweep, and
  // thousands of layers are not looked at for it.
  let seen: readonly ListedPlace[] | undefined;
  let isSwept = false;

  return {
    capabilities: {
      // A driver that mounts a layer to show it lays it on others; else it is a whole tree.
      needsParents: driver.capabilities.mounts,
    },
    list: async () => (seen = await listPlaces(driver)),

    async create(place: NewPlace, call) {
      const layer = layerOf(place.id);
      let told: MountSpec | undefined;
      const remap = remapOf(place);
      const root = remap && rootOf(remap); // maps that are none are refused before anything is made
      const onMounts = ([mount]: readonly MountSpec[]) => void (told = mount);
      const wanted = toCreateOptions(place, root, options.mendable, onMounts);
      const make = (storageOptions: CreateOptions["storageOptions"]) =>
        place.isUnpacked
          ? driver.create(layer, { ...wanted, storageOptions }, call)
          : driver.createReadWrite(layer, { ...wanted, storageOptions }, call);
      const size = toStorageOptions(place.maxSizeBytes);
      try {
        await make(size);
      } catch (error) {
        if (size === undefined || !(error instanceof CleatError) || error.code !== "INVALID_ARGUMENT") throw error;
        // A hint of the engine's; one that leaves no room (btrfs counts the image, too) must not keep a container from
        // starting.
        logger.warn({ err: error, ...size }, "a snapshot is made without the size that it asks for");
        await make(undefined);
      }
      if (told !== undefined) return toMounts(told, place);
      const mount = await mountOf(place.id, place);
      // What is unpacked is flushed when it is committed.
      const durable = homeSync !== undefined && !place.isUnpacked;
      if (!place.isReadOnly) await giveRootItsOwner(mount, remap, durable);
      return toMounts(mount, place);
    },

    ...(mend && {
      mend: async (places: readonly ListedPlace[]) => {
        const layers = places.map(({ id, parentId }) => ({ id: layerOf(id), parent: toLayer(parentId) }));
        return (await mend(layers)).map(Number);
      },
    }),

    mounts: async (id, use) => toMounts(await mountOf(id, use), use),
    usage: (id, call) => driver.usage(layerOf(id), call),

    ...(rebase && {
      rebase: (id: number, parentId: number | undefined) => rebase(layerOf(id), toLayer(parentId)),
    }),
    ...(driver.rebase && {
      async settle(id: number, parentId: number) {
        const mount = await mountOf(id, { isUnpacked: true, isReadOnly: false });
        if (isRootMarkedOpaque(mount)) await driver.rebase?.(layerOf(id), layerOf(parentId));
      },
    }),
    ...(homeSync && { sync: () => homeSync.sync() }),

    remove,

    async sweep(isLive, mayLieOn) {
      const removeOne = (id: number) => remove(id, mayLieOn);
      if (isSwept) await removeLeft(left, isLive, removeOne);
      else {
        await removeOrphans(seen ?? (await listPlaces(driver)), isLive, removeOne, logger);
        [isSwept, seen] = [true, undefined];
      }
      await settled();
    },

    async close() {
      await Promise.all([driver.close(), homeSync?.close()]);
      await settled();
    },
  };
}

/** `onMounts` is told how what is to be written to is mounted, by a driver that knows. */
function toCreateOptions(
  { parentId, isReadOnly, record }: NewPlace,
  root: ReturnType<typeof rootOf> | undefined,
  mendable: boolean,
  onMounts: CreateOptions["onMounts"],
): CreateOptions {
  const wanted = { parent: toLayer(parentId), mendable };
  if (isReadOnly) return wanted;
  // Without a parent engines map all of it.
  const isAsParent = root === undefined || parentId === undefined;
  return { ...wanted, onMounts, record, rootOwner: isAsParent ? "as parent" : root };
}

/** Removes layers, and knows which it could not. */
function createRemovals(driver: ServableDriver) {
  const removing = new Set<Promise<void>>();
  const left = new Set<number>();
  const removeNow = async (id: number, mayLieOn: MayLieOn = () => true): Promise<void> => {
    left.add(id);
    const mayBeChild = (layer: string): boolean => {
      const other = placeOf(layer);
      return other === undefined || mayLieOn(other, id);
    };
    await driver.remove(layerOf(id), { mayLieOn: mayBeChild });
    left.delete(id);
  };
  return {
    remove(id: number, mayLieOn?: MayLieOn): Promise<void> {
      const removal = removeNow(id, mayLieOn).finally(() => removing.delete(removal));
      removing.add(removal);
      return removal;
    },
    left: left as ReadonlySet<number>,
    /** Waits for all that were begun. */
    settled: async (): Promise<void> => void (await Promise.allSettled(removing)),
  };
}

/** The layers that are places of snapshots. */
async function listPlaces(driver: ServableDriver): Promise<readonly ListedPlace[]> {
  const places: ListedPlace[] = [];
  for await (const { id: layer, parent, misfit, unreadable } of driver.list()) {
    const id = placeOf(layer);
    const parentId = parent === undefined ? undefined : placeOf(parent);
    if (id !== undefined) places.push({ id, parentId, misfit, unreadable });
  }
  return places;
}

function toLayer(id: number | undefined): string | undefined {
  return id === undefined ? undefined : layerOf(id);
}

/** Children before what they lie on, which is not removed before. What cannot be removed is left for the next time. */
async function removeOrphans(
  places: readonly ListedPlace[],
  isLive: (id: number) => boolean,
  remove: (id: number) => Promise<void>,
  logger: Logger,
): Promise<void> {
  let orphans = places.filter(({ id }) => !isLive(id));
  while (orphans.length > 0) {
    const parents = new Set(orphans.map(({ parentId }) => parentId));
    const leaves = orphans.filter(({ id }) => !parents.has(id));
    for (const { id } of leaves) {
      await remove(id).catch((error: unknown) => logger.warn({ err: error, id }, "could not remove what is left over"));
    }
    if (leaves.length === 0) return;
    orphans = orphans.filter((one) => !leaves.includes(one));
  }
}

/**
 * Tries again what could not be removed. Children before what they lie on, which they have higher numbers than unless
 * they were laid on it when they were committed: such a one is for the next time.
 * @throws what the first says that cannot be removed now either.
 */
async function removeLeft(
  left: ReadonlySet<number>,
  isLive: (id: number) => boolean,
  remove: (id: number) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const id of [...left].toSorted((one, other) => other - one)) {
    if (!isLive(id)) await remove(id).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** How a driver is told of a size; one that enforces none is told nothing, and the operator is, once. */
function createSizeOptions(driver: ServableDriver, logger: Logger) {
  let isTold = false;
  return (maxSizeBytes: number | undefined): Readonly<Record<string, string>> | undefined => {
    if (maxSizeBytes === undefined) return undefined;
    if (driver.capabilities.enforcesSize) return { size: String(maxSizeBytes) };
    if (!isTold) logger.info({ driver: driver.name }, "snapshots ask for a size, which is not enforced here");
    isTold = true;
    return undefined;
  };
}
