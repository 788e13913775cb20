import type { ModuleReference } from "../../workers/index.ts";
import {
  commonOptions,
  createDiffGetter,
  createLayerKeeper,
  createMountCounts,
  createNaiveDiff,
  type DiffOptions,
  ensureCleanFolder,
  type OpenHome,
  openHome,
  ownFolder,
  readDriverOptions,
  refuseStorageOptions,
  runProbe,
  toDiffOptions,
} from "../../graphdriver/kit.ts";
import type {
  CallOptions,
  CreateOptions,
  GetOptions,
  GraphDriverFactory,
  GraphDriverMethods,
} from "../../graphdriver/index.ts";
import { createLayeredStore } from "../overlay/layered-store.ts";
import { linksFolder, readLayer } from "../overlay/layout.ts";
import { ownAttributePrefix } from "../overlay/own-attributes.ts";
import * as storeJobs from "../overlay/inspect/store-jobs.ts";
import { mountSpecOf, type OverlayMounter } from "../overlay/mount-specs.ts";
import * as jobs from "./jobs.ts";
import { findMountedLayers, maxDepth } from "./layout.ts";
import type { FuseOverlayfsAbilities } from "./probe.ts";
import { moduleUrl as probeUrl } from "./probe-folder.ts";
import { findProgram } from "./program.ts";

/**
 * An overlay that a program, fuse-overlayfs, serves over FUSE; for machines and user namespaces whose kernel has no
 * overlay to mount. A layer costs its diff only; a container costs a mount and a process, and each of its system calls
 * on files two changes of context. Diffs compare whole trees, as with Docker's own driver; a file's content only where
 * the layer holds it.
 *
 * The processes outlive this one, if only they are let: a service manager that ends all processes of a service
 * (systemd's `KillMode=control-group`) takes the file systems from under the containers. A layer whose process has died
 * is mounted anew by `open` or the next `get`.
 */
export const fuseOverlayfs: GraphDriverFactory = {
  name: "fuse-overlayfs",
  options: commonOptions,
  store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
  probe: (folder) => runProbe("fuse-overlayfs", { url: probeUrl }, folder),
  open: (options) =>
    openHome(use, options, async (home) => {
      const diffOptions = toDiffOptions(readDriverOptions("fuse-overlayfs", options.options, commonOptions));
      ensureCleanFolder(`${home.path}/${linksFolder}`, 0o700);
      await home.pool.run(worker, "sweepStore", home.path);
      const abilities = await home.pool.run(worker, "probeFuseOverlayfs", home.path);
      const adopted = await adoptMounts(home, abilities);
      return createFuseOverlayfs(home, diffOptions, abilities, adopted);
    }),
};

const use = () => ({ driver: "fuse-overlayfs", attributes: ownAttributePrefix() });

const worker: ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

/** Source of the type: containerd v2.1.9 `core/mount/mount_linux.go` `mountWithHelper`; mount.fuse3(8). */
const mounter: OverlayMounter = { type: "fuse3.fuse-overlayfs", switches: [], maxLayers: maxDepth + 1 };

/**
 * Mounts anew what has lost its program. What cannot be mounted counts as held all the same, and the next `get` says
 * why.
 */
async function adoptMounts(home: OpenHome, abilities: FuseOverlayfsAbilities): Promise<string[]> {
  const found = [...new Set(findMountedLayers(home.path))];
  const options = { ...abilities, ...home.owner, mountLabel: "" };
  await Promise.allSettled(found.map((id) => home.pool.run(worker, "mountLayer", home.path, id, options)));
  return found;
}

function createFuseOverlayfs(
  home: OpenHome,
  { archiveDialect, exactDiffs, strictAttributes }: DiffOptions,
  abilities: FuseOverlayfsAbilities,
  adopted: readonly string[],
): GraphDriverMethods {
  const { path, pool, ids, owner, durability, userNamespace, locks } = home;
  const { attributePrefix } = abilities;
  const counts = createMountCounts({ adopted, file: `${path}/${ownFolder}/counts.json`, resume: home.resume });
  const store = createLayeredStore("fuse-overlayfs", home, counts, findMountedLayers, worker);
  const keeper = createLayerKeeper(home, worker, store.exists);
  const { assertId, put } = store;
  const applyOptions = {
    ids,
    durability,
    attributePrefix,
    userNamespace,
    exactDiffs,
    strictAttributes,
    quotas: undefined,
  };

  /** Whoever mounts by type runs this program, of fuse3, which runs the one that the type names. */
  const isMountable = findProgram("mount.fuse3") !== undefined;

  /** Labels by layer: who compares trees while a container starts must not mount its layer without one. */
  const labels = new Map<string, string>();

  async function create(
    id: string,
    { parent, storageOptions, mountLabel, mendable }: CreateOptions,
    durable: boolean,
    call?: CallOptions,
  ): Promise<void> {
    assertId(id);
    refuseStorageOptions("fuse-overlayfs", id, storageOptions);
    if (parent !== undefined) assertId(parent);
    const layer = { id, parent, durable, mendable, maxDepth, ...owner };
    await keeper.make(id, parent, (wanted) => wanted.run(worker, "createLayer", path, layer), call);
    if (mountLabel !== undefined) labels.set(id, mountLabel);
  }

  async function discard(id: string): Promise<string | undefined> {
    await pool.run(worker, "unmountLayer", path, id);
    counts.forget(id);
    labels.delete(id);
    locks.markChanged(id);
    return pool.run(worker, "discardLayer", path, id);
  }

  async function get(id: string, { mountLabel = labels.get(id) ?? "" }: GetOptions = {}, call?: CallOptions) {
    assertId(id);
    return home.within(call).locks.withLock(id, async () => {
      // Also where it is mounted: its program may have died since.
      const folder = await pool.run(worker, "mountLayer", path, id, { ...abilities, ...owner, mountLabel });
      if (folder.endsWith("/merged")) counts.increment(id);
      if (mountLabel !== "") labels.set(id, mountLabel);
      return folder;
    });
  }

  const naive = createNaiveDiff({ get, put }, home, worker, { ids, archiveDialect });

  return {
    name: "fuse-overlayfs",
    capabilities: {
      reproducesExactDiffs: exactDiffs,
      mounts: true,
      enforcesSize: false,
      protectsParents: true,
      maxDepth,
    },

    create: (id, options = {}, call) => create(id, options, false, call),
    createReadWrite: (id, options = {}, call) => create(id, options, durability !== "none", call),
    async remove(id, options, call) {
      assertId(id);
      await keeper.remove(id, options, () => discard(id), call);
    },
    get,
    put,
    exists: store.exists,
    metadata: store.metadata,
    list: store.list,
    mend: store.mend,
    ...(isMountable && {
      mounts: async (id, { readOnly = false } = {}) => {
        assertId(id);
        return [mountSpecOf(path, id, readOnly, mounter)];
      },
    }),
    usage: store.usage,
    rebase: store.rebase(keeper.lineage, maxDepth),
    cleanup: store.cleanup,
    status: async () => [
      ["Backing Filesystem", abilities.backingFileSystem],
      ["Mount Program", abilities.program],
      ["Mount Program Version", abilities.version],
    ],
    ...naive,
    async diff(id, parent, call) {
      assertId(id);
      return store.exactDiff(id, parent, call) ?? naive.diff(id, parent, call);
    },
    applyDiff: (id, parent, source, call) => store.applyDiff(id, parent, source, applyOptions, call),
    async diffGetter(id) {
      assertId(id);
      readLayer(path, id); // which says so where there is none
      return createDiffGetter(`${path}/${id}/diff`, pool, worker);
    },
    close: home.close,
  };
}
