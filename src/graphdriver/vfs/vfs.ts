import { existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { CleatError } from "../../errors/index.ts";
import { createRing, type ModuleReference, pour } from "../../workers/index.ts";
import { createDiffGetter } from "../diff/diff-getter.ts";
import { type DiffOptions, readDriverOptions, refuseStorageOptions, sizeRefused } from "../driver-options.ts";
import type { CreateOptions, GraphDriver, GraphDriverFactory } from "../driver.ts";
import { streamExactDiff } from "../diff/stream-exact-diff.ts";
import { assertLayerId } from "../layer-id.ts";
import { reportApplied } from "../diff/left-out.ts";
import { createNaiveDiff } from "../diff/naive-diff.ts";
import { ensureCleanFolder } from "../home/clean-folder.ts";
import { letThrough, passageMode } from "../home/home.ts";
import { type OpenHome, openHome } from "../home/open-home.ts";
import { runProbe } from "../selection/run-probe.ts";
import * as jobs from "./jobs.ts";
import { exactDiffsFolder, exactFolder, fillingFolder, layerPath, layersFolder, unfilledFolder } from "./layout.ts";
import { moduleUrl as probeUrl } from "./probe-folder.ts";
import * as storeJobs from "./store-jobs.ts";

/**
 * Whole copies, on any file system, for anybody. A layer costs the size of everything below it and the time to copy that,
 * unless the file system can share blocks (btrfs, xfs with reflink); a diff costs a walk of two trees. Where an ordinary user
 * keeps the layers, every file belongs to that user, with the owner's permission to read and write it, devices are left out, and
 * of the extended attributes only `user.` ones are kept; `diff` gives the files to root.
 */
export const vfs: GraphDriverFactory = {
  name: "vfs",
  probe: (folder) => runProbe("vfs", { url: probeUrl }, folder),
  store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
  open: (options) =>
    openHome({ driver: "vfs" }, options, async (home) => {
      const vfsOptions = parseOptions(options.options);
      for (const folder of [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder]) {
        ensureCleanFolder(`${home.path}/${folder}`, passageMode);
      }
      const { rootUid, rootGid } = home.owner;
      letThrough(`${home.path}/${layersFolder}`, rootGid);
      await home.pool.run(worker, "recoverStore", home.path, rootUid, rootGid);
      return createVfs(home, vfsOptions);
    }),
};

/** @throws INVALID_ARGUMENT for a malformed or unknown option, UNIMPLEMENTED for a size. */
function parseOptions(options: readonly string[] | undefined): DiffOptions {
  return readDriverOptions("vfs", options, {
    size: () => {
      throw sizeRefused("vfs");
    },
  });
}

const worker: ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

function createVfs(home: OpenHome, { userNames, exactDiffs, strictAttributes }: DiffOptions): GraphDriver {
  const { path, pool, ids, owner, durability, squash, userNamespace } = home;
  const { withLock } = home.locks;

  async function create(id: string, options: CreateOptions, durable: boolean): Promise<void> {
    assertLayerId(id);
    refuseStorageOptions("vfs", id, options.storageOptions);
    const { parent } = options;
    if (parent !== undefined) assertLayerId(parent);
    await withLock(id, () => pool.run(worker, "createLayer", path, { id, parent, durable, ...owner }));
  }

  async function exists(id: string): Promise<boolean> {
    assertLayerId(id);
    return access(layerPath(path, id)).then(
      () => true,
      () => false,
    );
  }

  async function get(id: string): Promise<string> {
    if (await exists(id)) return layerPath(path, id);
    throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
  }

  const put = async (id: string): Promise<void> => assertLayerId(id);
  const naive = createNaiveDiff({ get, put }, pool, { ids, userNames: userNames && !squash });

  return {
    name: "vfs",
    capabilities: {
      reproducesExactDiffs: exactDiffs,
      mounts: false,
      enforcesSize: false,
      maxDepth: Number.POSITIVE_INFINITY,
    },
    create: (id, options) => create(id, options, false),
    createReadWrite: (id, options) => create(id, options, durability !== "none"),
    async remove(id) {
      assertLayerId(id);
      const trashed = await withLock(id, () => pool.run(worker, "discardLayer", path, id));
      if (trashed !== undefined) await pool.run(worker, "emptyTrash", path, trashed);
    },
    get,
    put,
    exists,
    status: async () => [],
    async metadata(id) {
      await get(id);
      return {};
    },
    ...naive,
    async diff(id, parent) {
      await get(id);
      if (parent !== undefined) assertLayerId(parent);
      const paths = { tree: layerPath(path, id), folder: exactFolder(id) };
      const isFilled = !existsSync(`${path}/${fillingFolder}/${id}`);
      const exact = isFilled ? streamExactDiff(home, worker, id, parent, paths) : undefined;
      return exact ?? naive.diff(id, parent);
    },
    diffGetter: async (id) => createDiffGetter(await get(id), pool, worker),
    async applyDiff(id, parent, source) {
      assertLayerId(id);
      return withLock(id, () => {
        const ring = createRing();
        const applyOptions = { ids, durability, squash, userNamespace, exactDiffs, strictAttributes };
        const applied = pool.consume(worker, "applyDiff", path, id, parent, ring, applyOptions);
        return reportApplied(home.logger, id, pour(source, ring, applied));
      });
    },
    cleanup: async () => {},
    close: home.close,
  };
}
