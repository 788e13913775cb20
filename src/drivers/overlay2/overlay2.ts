import type { ModuleReference, Ring } from "../../workers/index.ts";
import {
  commonOptions,
  createDiffGetter,
  createLineage,
  createMountCounts,
  createNaiveDiff,
  deleteTrashed,
  type DiffOptions,
  ensureCleanFolder,
  type OpenHome,
  openHome,
  optionKinds,
  ownFolder,
  readChanges,
  readDriverOptions,
  readStorageSize,
  reportApplied,
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
import { createLayeredStore, precondition } from "../overlay/layered-store.ts";
import { linksFolder, readLayer } from "../overlay/layout.ts";
import { moduleUrl as probeUrl } from "./probe/probe-folder.ts";
import { findMountedLayers } from "../overlay/find-mounted.ts";
import { ownAttributePrefix } from "../overlay/own-attributes.ts";
import type { OverlayAbilities } from "./probe/probe.ts";
import { assertEnforced, isEnforced, lastReservedProject, type QuotaSupport } from "../overlay/project-quotas.ts";
import * as storeJobs from "../overlay/inspect/store-jobs.ts";
import { mountSpecOf, type OverlayMounter } from "../overlay/mount-specs.ts";
import { specSwitches } from "./mount/mount-switches.ts";
import { withUserNamespace } from "./probe/with-user-namespace.ts";

const optionTable = {
  ...commonOptions,
  "overlay2.size": {
    ...optionKinds.size,
    help: "how much containers may add to their image that ask for no size of their own; default no limit",
  },
  "overlay2.override_kernel_check": { ...optionKinds.boolean, help: "taken, and of no effect, as with Docker" },
} as const satisfies DriverOptionTable;

/**
 * The overlay file system of the kernel over Docker's own on-disk layout (`layout.ts`). A layer costs its diff only; a
 * container costs one mount. Needs a file system with d_type and extended attributes (ext4, xfs, btrfs), and root: the host's from
 * Linux 5.2 on, or that of a user namespace (a store of its own, `userxattr`) from Linux 5.11 on.
 *
 * A container's `size` is a limit on what it adds to its image, enforced where the home lies on xfs or ext4 with project
 * quotas (mount option `prjquota`), and refused elsewhere.
 */
export const overlay2: GraphDriverFactory = createOverlay2Factory();

/** With less than what the probe finds, the driver does as on a kernel that has no more; tests ask for that. */
export function createOverlay2Factory(known: Partial<OverlayAbilities> = {}): GraphDriverFactory {
  return {
    name: "overlay2",
    options: optionTable,
    store: { url: storeJobs.moduleUrl } satisfies ModuleReference<typeof storeJobs>,
    probe: (folder) => withUserNamespace((namespace) => runProbe("overlay2", { url: probeUrl }, folder, namespace)),
    open: (options) =>
      openHome(use, options, async (home) => {
        const overlayOptions = parseOptions(options.options);
        ensureCleanFolder(`${home.path}/${linksFolder}`, 0o700);
        await home.pool.run(worker, "sweepStore", home.path);
        await home.pool.run(worker, "markParents", home.path);
        const abilities = { ...(await home.pool.run(worker, "probeOverlay", home.path)), ...known };
        const quotas = await home.pool.run(worker, "probeProjectQuotas", home.path);
        if (overlayOptions.sizeBytes !== undefined) assertEnforced(quotas, 'option "overlay2.size"');
        return createOverlay2(home, overlayOptions, abilities, quotas);
      }),
  };
}

interface OverlayOptions extends DiffOptions {
  /** `overlay2.size`: the size of containers that ask for none. Default: no limit. */
  readonly sizeBytes: number | undefined;
}

/** @throws INVALID_ARGUMENT for a malformed or unknown option. */
function parseOptions(options: readonly string[] | undefined): OverlayOptions {
  const values = readDriverOptions("overlay2", options, optionTable);
  return { ...toDiffOptions(values), sizeBytes: values["overlay2.size"] };
}

const use = () => ({ driver: "overlay2", attributes: ownAttributePrefix() });

const worker: ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

function createOverlay2(
  home: OpenHome,
  overlayOptions: OverlayOptions,
  abilities: OverlayAbilities,
  support: QuotaSupport,
): GraphDriverMethods {
  const { archiveDialect, exactDiffs, strictAttributes } = overlayOptions;
  const { path, pool, ids, owner, durability, userNamespace, locks } = home;
  const { attributePrefix } = abilities;
  const counts = createMountCounts({
    adopted: findMountedLayers(path),
    file: `${path}/${ownFolder}/counts.json`,
    resume: home.resume,
  });
  const store = createLayeredStore("overlay2", home, counts, findMountedLayers, worker);
  const { assertId, isDirectParent } = store;
  const lineage = createLineage({ readParents: () => pool.run(worker, "readParents", path), exists: store.exists });
  const maxDepth = abilities.layerByLayer ? kernelMaxLayers : pageMaxLayers;
  const mounter: OverlayMounter = {
    type: "overlay",
    switches: specSwitches(attributePrefix),
    maxLayers: kernelMaxLayers,
  };
  const quotas = isEnforced(support) ? support : undefined;
  /** The highest that this process gave to a layer, from where the next free one is looked for. */
  let lastProject = quotas === undefined ? 0 : lastReservedProject(quotas);

  /** Labels by layer: who compares trees while a container starts must not mount its layer without one. */
  const labels = new Map<string, string>();

  async function create(
    id: string,
    options: CreateOptions,
    durable: boolean,
    call?: CallOptions,
    defaultBytes?: number,
  ): Promise<void> {
    assertId(id);
    const bytes = readStorageSize(id, options.storageOptions) ?? defaultBytes;
    const size =
      bytes === undefined
        ? undefined
        : { bytes, afterProject: lastProject, quotas: assertEnforced(support, `layer "${id}"`) };
    const { parent } = options;
    if (parent !== undefined) assertId(parent);
    const layer = { id, parent, durable, maxDepth, size, ...owner };
    const wanted = home.within(call);
    const make = () => wanted.pool.run(worker, "createLayer", path, layer);
    const project = await wanted.locks.withChild(id, parent, () => lineage.making(id, parent, make));
    lastProject = Math.max(lastProject, project ?? 0);
    if (options.mountLabel !== undefined) labels.set(id, options.mountLabel);
  }

  /** Whether what `job` looks at is the answer to what differs from `parent`; trees are compared else. */
  async function isNative(
    job: "isDiffWhole" | "areDiffsWhole",
    id: string,
    parent: string | undefined,
    call: CallOptions | undefined,
  ): Promise<boolean> {
    if (!isDirectParent(id, parent) || abilities.nativeDiffObstacle !== undefined) return false;
    return home.within(call).pool.run(worker, job, path, id, attributePrefix);
  }

  const driver: GraphDriverMethods = {
    name: "overlay2",
    capabilities: {
      reproducesExactDiffs: exactDiffs,
      mounts: true,
      enforcesSize: quotas !== undefined,
      protectsParents: true,
      maxDepth,
    },

    create: (id, options = {}, call) => create(id, options, false, call),
    createReadWrite: (id, options = {}, call) =>
      create(id, options, durability !== "none", call, overlayOptions.sizeBytes),

    async remove(id, { evenWithChildren = false, onGone } = {}, call) {
      assertId(id);
      const discard = async () => {
        await pool.run(worker, "unmountLayer", path, id);
        counts.forget(id);
        labels.delete(id);
        const project = quotas && (await pool.run(worker, "projectOfLayer", path, id, quotas));
        locks.markChanged(id);
        const trashed = await pool.run(worker, "discardLayer", path, id);
        if (quotas !== undefined && project !== undefined) await pool.run(worker, "forgetLimit", path, project, quotas);
        return trashed;
      };
      const trashed = await home.within(call).locks.withLock(id, () => lineage.removing(id, evenWithChildren, discard));
      await deleteTrashed(home, worker, trashed, onGone);
    },

    async get(id, { mountLabel = labels.get(id) ?? "" } = {}, call) {
      assertId(id);
      return home.within(call).locks.withLock(id, async () => {
        if (counts.count(id) === 0) {
          const { layerByLayer } = abilities;
          const mountOptions = { mountLabel, layerByLayer, attributePrefix, ...owner };
          const folder = await pool.run(worker, "mountWithSlack", path, id, mountOptions, quotas);
          if (!folder.endsWith("/merged")) return folder;
          if (mountLabel !== "") labels.set(id, mountLabel);
        }
        counts.increment(id);
        return `${path}/${id}/merged`;
      });
    },

    put: store.put,
    exists: store.exists,
    metadata: store.metadata,
    list: store.list,
    mounts: async (id, { readOnly = false } = {}) => {
      assertId(id);
      return [mountSpecOf(path, id, readOnly, mounter)];
    },
    usage: store.usage,
    rebase: store.rebase(lineage, maxDepth),
    cleanup: store.cleanup,

    status: async () => [
      ["Backing Filesystem", abilities.backingFileSystem],
      ["Supports d_type", String(abilities.supportsDType)],
      ["Native Overlay Diff", String(abilities.nativeDiffObstacle === undefined)],
      ["userxattr", String(attributePrefix === "user.")],
    ],

    async diff(id, parent, call) {
      assertId(id);
      const exact = store.exactDiff(id, parent, call);
      if (exact !== undefined) return exact;
      if (!(await isNative("isDiffWhole", id, parent, call))) return naive.diff(id, parent, call);
      const archiveOptions = { ids, archiveDialect, attributePrefix };
      const archive = (ring: Ring) => home.within(call).pool.run(worker, "archiveDiff", path, id, ring, archiveOptions);
      return pool.produce((ring) => locks.unlessChanged([id], () => archive(ring)));
    },

    async changes(id, parent, call) {
      assertId(id);
      if (!(await isNative("areDiffsWhole", id, parent, call))) return naive.changes(id, parent, call);
      const find = (ring: Ring) =>
        home.within(call).pool.run(worker, "sendChangesOfDiff", path, id, ring, attributePrefix);
      return locks.unlessChanged([id, parent], () => readChanges(pool.produce(find)));
    },

    async applyDiff(id, parent, source, call) {
      const wanted = home.within(call);
      assertId(id);
      return wanted.locks.withLock(id, async () => {
        store.assertUnmountedChildOf(id, parent);
        const applyOptions = { ids, durability, attributePrefix, userNamespace, exactDiffs, strictAttributes, quotas };
        const apply = (ring: Ring) => wanted.pool.run(worker, "applyDiff", path, id, parent, ring, applyOptions);
        return reportApplied(home.logger, id, pool.consume(source, apply));
      });
    },

    async diffSize(id, parent, call) {
      assertId(id);
      if (!(await isNative("isDiffWhole", id, parent, call))) return naive.diffSize(id, parent, call);
      return locks.unlessChanged([id], () => home.within(call).pool.run(worker, "sizeOfDiff", path, id));
    },

    async diffGetter(id) {
      assertId(id);
      readLayer(path, id); // which says so where there is none
      if (!(await pool.run(worker, "isDiffWhole", path, id, attributePrefix))) {
        throw precondition(
          id,
          "was written with overlay's redirect_dir or metacopy; its files are not all in its diff folder",
        );
      }
      return createDiffGetter(`${path}/${id}/diff`, pool, worker);
    },

    close: home.close,
  };
  const naive = createNaiveDiff(driver, home, worker, { ids, archiveDialect });

  return driver;
}

/** Source: Linux v6.6 `fs/overlayfs/params.c` `OVL_MAX_STACK`. */
const kernelMaxLayers = 500;
/** Source: moby v20.10.24 `overlay2.go` `maxDepth`. */
const pageMaxLayers = 128;
