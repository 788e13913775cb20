import type { ModuleReference } from "../../workers/index.ts";
import {
  commonOptions,
  createLayerKeeper,
  createNaiveDiff,
  type DiffOptions,
  ensureCleanFolder,
  type OpenHome,
  openHome,
  optionKinds,
  readDriverOptions,
  runProbe,
  toDiffOptions,
} from "../../graphdriver/kit.ts";
import type {
  CallOptions,
  CreateOptions,
  DriverOptionTable,
  GraphDriverFactory,
  GraphDriverMethods,
  OptionValues,
} from "../../graphdriver/index.ts";
import * as jobs from "./jobs.ts";
import { createLayeredStore } from "../overlay/layered-store.ts";
import { linksFolder } from "../overlay/layout/layout.ts";
import { moduleUrl as probeUrl } from "./probe/probe-folder.ts";
import { findMountedLayers } from "../overlay/mounts/find-mounted.ts";
import { ownAttributePrefix } from "../overlay/layout/own-attributes.ts";
import type { OverlayAbilities } from "./probe/probe.ts";
import { assertEnforced, type QuotaSupport } from "../overlay/quotas/project-quotas.ts";
import * as storeJobs from "../overlay/inspect/store-jobs.ts";
import { assertNameable, type OverlayMounter } from "../overlay/mounts/mount-specs.ts";
import { createLayerMaker } from "../overlay/layers/layer-maker.ts";
import { createContainerSizes } from "./container-size.ts";
import { kernelMaxLayers } from "../overlay/mounts/kernel-layers.ts";
import { specSwitches } from "./mount/mount-switches.ts";
import { createNativeDiff } from "./native-diff.ts";
import { withUserNamespace } from "./probe/with-user-namespace.ts";

const optionTable = {
  ...commonOptions,
  "overlay2.size": {
    name: "sizeBytes",
    ...optionKinds.size,
    help: "how much containers may add to their image that ask for no size of their own; default no limit",
  },
  "overlay2.override_kernel_check": {
    name: "overrideKernelCheck",
    ...optionKinds.boolean,
    help: "taken, and of no effect, as with Docker",
  },
} as const satisfies DriverOptionTable;

/**
 * The overlay file system of the kernel over Docker's own on-disk layout (`layout.ts`). A layer costs its diff only; a
 * container costs one mount. Needs a file system with d_type and extended attributes (ext4, xfs, btrfs), and root: the
 * host's from Linux 5.2 on, or that of a user namespace (a store of its own, `userxattr`) from Linux 5.11 on.
 *
 * A container's `size` is a limit on what it adds to its image, enforced where the home lies on xfs or ext4 with
 * project quotas (mount option `prjquota`), and refused elsewhere.
 */
export const overlay2: GraphDriverFactory<typeof optionTable> = createOverlay2Factory();

/** With less than what the probe finds, the driver does as on a kernel that has no more; tests ask for that. */
export function createOverlay2Factory(known: Partial<OverlayAbilities> = {}): GraphDriverFactory<typeof optionTable> {
  return {
    name: "overlay2",
    options: optionTable,
    store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
    probe: (folder) => withUserNamespace((namespace) => runProbe("overlay2", { url: probeUrl }, folder, namespace)),
    open: (options) =>
      openHome(use, options, async (home) => {
        const overlayOptions = toOverlayOptions(readDriverOptions("overlay2", options, optionTable));
        if (options.door === "snapshotter") assertNameable(home.path);
        ensureCleanFolder(`${home.path}/${linksFolder}`, 0o700);
        await home.pool.run(worker, "sweepStore", home.path);
        // One after another, on one thread: to start a second takes longer than any of these. A snapshotter mounts no
        // layer by its mark, and has none that Docker made.
        const unmarked =
          options.door === "snapshotter" ? undefined : await home.pool.run(worker, "markParents", home.path);
        for (const [id, problem] of unmarked ?? []) home.logger.warn({ id, problem }, "a parent cannot be marked now");
        const abilities = { ...(await home.pool.run(worker, "probeOverlay", home.path)), ...known };
        const quotas = await home.pool.run(worker, "probeProjectQuotas", home.path);
        if (overlayOptions.sizeBytes !== undefined) assertEnforced(quotas, 'option "overlay2.size"');
        return createOverlay2(home, overlayOptions, abilities, quotas, new Set(unmarked?.keys()));
      }),
  };
}

interface OverlayOptions extends DiffOptions {
  /** `overlay2.size`: the size of containers that ask for none. Default: no limit. */
  readonly sizeBytes: number | undefined;
}

const toOverlayOptions = (values: OptionValues<typeof optionTable>): OverlayOptions => ({
  ...toDiffOptions(values),
  sizeBytes: values.sizeBytes,
});

const use = () => ({ driver: "overlay2", attributes: ownAttributePrefix() });

const worker: ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

function createOverlay2(
  home: OpenHome,
  { archiveDialect, exactDiffs, strictAttributes, sizeBytes }: OverlayOptions,
  abilities: OverlayAbilities,
  support: QuotaSupport,
  unmarkedParents: Set<string>,
): GraphDriverMethods {
  const { path, pool, ids, owner, durability, ordered, userNamespace, locks } = home;
  const { attributePrefix, layerByLayer, nativeDiffObstacle } = abilities;
  const sizes = createContainerSizes(support);
  const { quotas } = sizes;
  const mountOptions = { layerByLayer, attributePrefix, ...owner };
  const store = createLayeredStore("overlay2", home, worker, {
    find: () => findMountedLayers(path),
    adopted: findMountedLayers(path),
    mount: (id, mountLabel) => {
      const layerOptions = { mountLabel, isParent: unmarkedParents.has(id), ...mountOptions };
      return pool.run(worker, "mountWithSlack", path, id, layerOptions, quotas);
    },
    unmount: (id) => pool.run(worker, "unmountLayer", path, id),
  });
  const { assertId } = store;
  const keeper = createLayerKeeper(home, worker, store.exists);
  const maxDepth = layerByLayer ? kernelMaxLayers : pageMaxLayers;
  const mounter: OverlayMounter = {
    type: "overlay",
    switches: specSwitches(attributePrefix),
    maxLayers: kernelMaxLayers,
  };
  const maker = createLayerMaker(home, worker, keeper, mounter);
  const applyOptions = { ids, durability, attributePrefix, userNamespace, exactDiffs, strictAttributes, quotas };

  async function create(
    id: string,
    options: CreateOptions,
    durable: boolean,
    call?: CallOptions,
    defaultBytes?: number,
  ): Promise<void> {
    const { parent, storageOptions, mendable } = options;
    for (const one of parent === undefined ? [id] : [id, parent]) assertId(one);
    const size = sizes.sizeOf(id, storageOptions, defaultBytes);
    const layer = { id, parent, durable, ordered, mendable, maxDepth, size, ...owner };
    sizes.gave(await maker.make(layer, options, call));
    store.setLabel(id, options.mountLabel);
  }

  async function discard(id: string): Promise<string | undefined> {
    locks.markChanged(id);
    const trashed = await pool.run(worker, "discardMounted", path, id, quotas);
    store.forget(id);
    unmarkedParents.delete(id);
    return trashed;
  }

  const naive = createNaiveDiff(store, home, worker, { ids, archiveDialect });

  return {
    name: "overlay2",
    capabilities: {
      reproducesExactDiffs: exactDiffs,
      mounts: true,
      enforcesSize: quotas !== undefined,
      protectsParents: true,
      maxDepth,
    },

    create: (id, options = {}, call) => create(id, options, false, call),
    createReadWrite: (id, options = {}, call) => create(id, options, durability !== "none", call, sizeBytes),
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
    mounts: store.mounts(mounter),
    usage: store.usage,
    rebase: store.rebase(keeper.lineage, maxDepth),
    cleanup: store.cleanup,
    status: async () => [
      ["Backing Filesystem", abilities.backingFileSystem],
      ["Supports d_type", String(abilities.supportsDType)],
      ["Native Overlay Diff", String(nativeDiffObstacle === undefined)],
      ["userxattr", String(attributePrefix === "user.")],
    ],
    applyDiff: (id, parent, source, call) => store.applyDiff(id, parent, source, applyOptions, call),
    ...createNativeDiff(home, store, worker, {
      ids,
      archiveDialect,
      attributePrefix,
      obstacle: nativeDiffObstacle,
      naive,
    }),
    close: () => home.close(maker.dropSpares),
  };
}

/** Source: moby v20.10.24 `overlay2.go` `maxDepth`. */
const pageMaxLayers = 128;
