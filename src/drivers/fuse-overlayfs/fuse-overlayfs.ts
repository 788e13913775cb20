import type { ModuleReference } from "../../workers/index.ts";
import {
  commonOptions,
  createDiffGetter,
  createLayerKeeper,
  createNaiveDiff,
  type DiffOptions,
  ensureCleanFolder,
  type OpenHome,
  openHome,
  readDriverOptions,
  refuseStorageOptions,
  runProbe,
  toDiffOptions,
} from "../../graphdriver/kit.ts";
import type { CallOptions, CreateOptions, GraphDriverFactory, GraphDriverMethods } from "../../graphdriver/index.ts";
import { createLayerMaker } from "../overlay/layers/layer-maker.ts";
import { createLayeredStore } from "../overlay/layered-store.ts";
import { linksFolder, readLayer } from "../overlay/layout/layout.ts";
import { ownAttributePrefix } from "../overlay/layout/own-attributes.ts";
import * as storeJobs from "../overlay/inspect/store-jobs.ts";
import { assertNameable, type OverlayMounter } from "../overlay/mounts/mount-specs.ts";
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
export const fuseOverlayfs: GraphDriverFactory<typeof commonOptions> = {
  name: "fuse-overlayfs",
  options: commonOptions,
  store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
  probe: (folder) => runProbe("fuse-overlayfs", { url: probeUrl }, folder),
  open: (options) =>
    openHome(use, options, async (home) => {
      const diffOptions = toDiffOptions(readDriverOptions("fuse-overlayfs", options, commonOptions));
      if (options.door === "snapshotter") assertNameable(home.path);
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
  const { path, pool, ids, owner, durability, ordered, userNamespace, locks } = home;
  const { attributePrefix } = abilities;
  const mountOptions = { ...abilities, ...owner };
  const store = createLayeredStore("fuse-overlayfs", home, worker, {
    find: () => findMountedLayers(path),
    adopted,
    mount: (id, mountLabel) => pool.run(worker, "mountLayer", path, id, { ...mountOptions, mountLabel }),
    unmount: (id) => pool.run(worker, "unmountLayer", path, id),
  });
  const { assertId } = store;
  const keeper = createLayerKeeper(home, worker, store.exists);
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
  const maker = createLayerMaker(home, worker, keeper, isMountable ? mounter : undefined);

  async function create(id: string, options: CreateOptions, durable: boolean, call?: CallOptions): Promise<void> {
    assertId(id);
    const { parent, storageOptions, mendable } = options;
    refuseStorageOptions("fuse-overlayfs", id, storageOptions);
    if (parent !== undefined) assertId(parent);
    await maker.make({ id, parent, durable, ordered, mendable, maxDepth, ...owner }, options, call);
    store.setLabel(id, options.mountLabel);
  }

  async function discard(id: string): Promise<string | undefined> {
    await store.drop(id);
    locks.markChanged(id);
    return pool.run(worker, "discardLayer", path, id);
  }

  const naive = createNaiveDiff(store, home, worker, { ids, archiveDialect });

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
    get: store.get,
    put: store.put,
    exists: store.exists,
    metadata: store.metadata,
    list: store.list,
    mend: store.mend,
    ...(isMountable && { mounts: store.mounts(mounter) }),
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
    close: () => home.close(maker.dropSpares),
  };
}
