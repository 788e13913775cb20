import { CleatError } from "../../errors/index.ts";
import { isThere } from "../../syscall/index.ts";
import type { ModuleReference } from "../../workers/index.ts";
import {
  assertLayerId,
  bindSpec,
  commonOptions,
  createLayerKeeper,
  type DiffOptions,
  ensureCleanFolder,
  letThrough,
  listLayers,
  type OpenHome,
  openHome,
  passageMode,
  readDriverOptions,
  refuseStorageOptions,
  runProbe,
  toSizeRefusal,
  toDiffOptions,
} from "../../graphdriver/kit.ts";
import type {
  CallOptions,
  CreateOptions,
  DriverOptionTable,
  GraphDriverFactory,
  GraphDriverMethods,
} from "../../graphdriver/index.ts";
import * as jobs from "./jobs.ts";
import { createLayerDiffs } from "./layer-diffs.ts";
import { exactDiffsFolder, fillingFolder, layerPath, layersFolder, unfilledFolder } from "./layout.ts";
import { moduleUrl as probeUrl } from "./probe-folder.ts";
import * as storeJobs from "./store-jobs.ts";
import { createWholeLayers } from "./whole-layers.ts";

const optionTable = {
  ...commonOptions,
  size: {
    name: "sizeBytes",
    value: "SIZE",
    help: "refused: it cannot be enforced",
    parse(): never {
      throw toSizeRefusal("vfs");
    },
  },
} as const satisfies DriverOptionTable;

/**
 * Whole copies, on any file system, for anybody. A layer costs the size of everything below it and the time to copy
 * that, unless the file system can share blocks (btrfs, xfs with reflink); a diff costs a walk of two trees. A layer
 * on others is flushed twice, as a copy and with its diff. Where an ordinary user keeps the layers, every file belongs
 * to that user, with the owner's permission to read and write it, devices are left out, and of the extended attributes
 * only `user.` ones are kept; `diff` gives the files to root.
 */
export const vfs: GraphDriverFactory<typeof optionTable> = {
  name: "vfs",
  cost: "copies every layer in full (reflinks where the file system has them)",
  options: optionTable,
  probe: (folder) => runProbe("vfs", { url: probeUrl }, folder),
  store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
  open: (options) =>
    openHome({ driver: "vfs" }, options, async (home) => {
      const vfsOptions = toDiffOptions(readDriverOptions("vfs", options, optionTable));
      for (const folder of [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder]) {
        ensureCleanFolder(`${home.path}/${folder}`, passageMode);
      }
      letThrough(`${home.path}/${layersFolder}`, home.owner.rootGid);
      await home.pool.run(worker, "sweepStore", home.path);
      return createVfs(home, vfsOptions);
    }),
};

const worker: ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

function createVfs(home: OpenHome, diffOptions: DiffOptions): GraphDriverMethods {
  const { path, pool, owner, durability, locks } = home;
  const keeper = createLayerKeeper(home, worker, exists);
  const { onWhole, undoFilling } = createWholeLayers(home, worker);

  async function create(id: string, options: CreateOptions, durable: boolean, call?: CallOptions): Promise<void> {
    assertLayerId(id);
    refuseStorageOptions("vfs", id, options.storageOptions);
    const { parent } = options;
    if (parent !== undefined) assertLayerId(parent);
    const layer = { id, parent, durable, ...owner };
    await onWhole(parent, call, (assertWhole) =>
      keeper.make(
        id,
        parent,
        (wanted) => {
          assertWhole();
          const make = () => wanted.run(worker, "createLayer", path, layer);
          return durable ? home.flushed(make) : make();
        },
        call,
      ),
    );
  }

  async function exists(id: string): Promise<boolean> {
    assertLayerId(id);
    return isThere(layerPath(path, id));
  }

  /** Waits while a diff is applied to the layer, or undone, since that is done in place. */
  async function get(id: string, _options?: unknown, call?: CallOptions): Promise<string> {
    assertLayerId(id);
    return onWhole(id, call, (assertWhole) =>
      home.within(call).locks.whileUnchanged(id, async () => {
        assertWhole();
        if (await exists(id)) return layerPath(path, id);
        throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
      }),
    );
  }

  const put = async (id: string): Promise<void> => assertLayerId(id);

  return {
    name: "vfs",
    capabilities: {
      reproducesExactDiffs: diffOptions.exactDiffs,
      mounts: false,
      enforcesSize: false,
      protectsParents: true,
      maxDepth: Number.POSITIVE_INFINITY,
    },
    // A copy is made durable here: `applyDiff` is not told of writes that have failed before it (`errseq.rst`).
    create: (id, options = {}, call) =>
      create(id, options, durability !== "none" && options.parent !== undefined, call),
    createReadWrite: (id, options = {}, call) => create(id, options, durability !== "none", call),
    async remove(id, options, call) {
      assertLayerId(id);
      const discard = () => {
        locks.markChanged(id);
        return pool.run(worker, "discardLayer", path, id);
      };
      await keeper.remove(id, options, discard, call);
    },
    get,
    put,
    exists,
    status: async () => [],
    async metadata(id, call) {
      await get(id, {}, call);
      return {};
    },
    ...createLayerDiffs(home, worker, { get, put, undoFilling }, diffOptions),
    mounts: async (id, { readOnly = false } = {}, call) => [bindSpec(await get(id, {}, call), readOnly)],
    async usage(id, call) {
      const tree = await get(id, {}, call);
      return locks.unlessChanged([id], () => home.within(call).pool.run(worker, "usageOfTree", tree));
    },
    list: (call) => listLayers(() => home.within(call).pool.run(worker, "readLayers", path)),
    cleanup: async () => {},
    close: home.close,
  };
}
