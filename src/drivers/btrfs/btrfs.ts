import { release } from "node:os";
import { CleatError } from "../../errors/index.ts";
import { isThere } from "../../syscall/index.ts";
import type { ModuleReference, WorkerPool } from "../../workers/index.ts";
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
  optionKinds,
  passageMode,
  readDriverOptions,
  readStorageSize,
  runProbe,
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
import { exactDiffsFolder, layerPath, layersFolder, quotaPath } from "./layout.ts";
import { moduleUrl as probeUrl } from "./probe-folder.ts";
import * as storeJobs from "./store-jobs.ts";

const optionTable = {
  ...commonOptions,
  "btrfs.min_space": {
    name: "minSizeBytes",
    ...optionKinds.size,
    help: "the least size that a container may ask for; default 0",
  },
} as const satisfies DriverOptionTable;

/**
 * Subvolumes of btrfs in Docker's own on-disk layout (`layout.ts`). A layer is a snapshot of its parent: it costs what
 * it changes, and a container needs no mount; a diff costs a walk of two trees. Needs root, a home on btrfs, Linux
 * 4.18.
 *
 * A container's `size` is a limit on all that its layer refers to, the image's files included, as it is with Docker;
 * the first one turns the quotas of the file system on, which nothing turns off again. A process in a container that
 * makes subvolumes of its own escapes it: the kernel counts those by themselves.
 */
export const btrfs: GraphDriverFactory<typeof optionTable> = {
  name: "btrfs",
  options: optionTable,
  probe: (folder) => runProbe("btrfs", { url: probeUrl }, folder),
  store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
  open: (options) =>
    openHome({ driver: "btrfs" }, options, async (home) => {
      const { minSizeBytes = 0, ...values } = readDriverOptions("btrfs", options, optionTable);
      await home.pool.run(worker, "probeBtrfs", home.path);
      for (const folder of [layersFolder, exactDiffsFolder]) {
        ensureCleanFolder(`${home.path}/${folder}`, passageMode);
      }
      letThrough(`${home.path}/${layersFolder}`, home.owner.rootGid);
      await home.pool.run(worker, "sweepStore", home.path);
      return createBtrfs(home, { ...toDiffOptions(values), minSizeBytes });
    }),
};

interface BtrfsOptions extends DiffOptions {
  /** `btrfs.min_space`: the least size that a container may ask for. Default 0. */
  readonly minSizeBytes: number;
}

const worker: ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

function createBtrfs(home: OpenHome, { minSizeBytes, ...diffOptions }: BtrfsOptions): GraphDriverMethods {
  const { path, pool, owner, durability, locks } = home;
  const keeper = createLayerKeeper(home, worker, exists);
  const untouched = new Set<string>();

  async function create(id: string, options: CreateOptions, durable: boolean, call?: CallOptions): Promise<void> {
    assertLayerId(id);
    const { parent, storageOptions } = options;
    if (parent !== undefined) assertLayerId(parent);
    const sizeBytes = readStorageSize(id, storageOptions);
    if (sizeBytes !== undefined && sizeBytes < minSizeBytes) throw tooSmall(id, sizeBytes, minSizeBytes);
    const layer = { id, parent, durable, sizeBytes, ...owner };
    const make = async (wanted: WorkerPool): Promise<void> => {
      await wanted.run(worker, "createLayer", path, layer);
      untouched.add(id);
    };
    await keeper.make(id, parent, make, call);
  }

  async function exists(id: string): Promise<boolean> {
    assertLayerId(id);
    return isThere(layerPath(path, id));
  }

  async function assertExists(id: string): Promise<void> {
    if (!(await exists(id))) throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
  }

  async function get(id: string, _options?: unknown, call?: CallOptions): Promise<string> {
    assertLayerId(id);
    return home.within(call).locks.withLock(id, async () => {
      await assertExists(id);
      if (isThere(quotaPath(path, id))) await pool.run(worker, "renewLimit", path, id);
      untouched.delete(id);
      return layerPath(path, id);
    });
  }

  const put = async (id: string): Promise<void> => assertLayerId(id);

  return {
    name: "btrfs",
    capabilities: {
      reproducesExactDiffs: diffOptions.exactDiffs,
      mounts: false,
      enforcesSize: true,
      protectsParents: true,
      maxDepth: Number.POSITIVE_INFINITY,
    },
    create: (id, options = {}, call) => create(id, options, false, call),
    createReadWrite: (id, options = {}, call) => create(id, options, durability !== "none", call),
    async remove(id, options, call) {
      assertLayerId(id);
      const discard = () => {
        untouched.delete(id);
        locks.markChanged(id);
        return pool.run(worker, "discardLayer", path, id);
      };
      await keeper.remove(id, options, discard, call);
    },
    get,
    put,
    exists,
    status: async () => [
      ["Btrfs", `Linux ${release()}`],
      ["Quota Groups", await pool.run(worker, "quotaStateOf", path)],
    ],
    async metadata(id, call) {
      const usage = await home.within(call).locks.whileUnchanged(id, async () => {
        await assertExists(id);
        return pool.run(worker, "usageOf", path, id);
      });
      if (usage === undefined) return {};
      const { limitBytes, referencedBytes } = usage;
      return { Size: String(limitBytes), ...(referencedBytes !== undefined && { Used: String(referencedBytes) }) };
    },
    ...createLayerDiffs(home, worker, { get, put, assertExists, untouched }, diffOptions),
    mounts: async (id, { readOnly = false } = {}, call) => [bindSpec(await get(id, {}, call), readOnly)],
    async usage(id, call) {
      await home.within(call).locks.whileUnchanged(id, () => assertExists(id));
      return locks.unlessChanged([id], () => home.within(call).pool.run(worker, "usageOfLayer", path, id));
    },
    list: (call) => listLayers(() => home.within(call).pool.run(worker, "readLayers", path)),
    cleanup: async () => {},
    close: home.close,
  };
}

function tooSmall(id: string, sizeBytes: number, minSizeBytes: number): CleatError {
  const least = `the least that btrfs.min_space allows, ${minSizeBytes}`;
  return new CleatError("INVALID_ARGUMENT", `layer "${id}": a size of ${sizeBytes} bytes is less than ${least}`);
}
