import type { CallOptions, GetOptions, GraphDriver } from "../../../graphdriver/index.ts";
import { createMountCounts, type MountCounts, type OpenHome, ownFolder } from "../../../graphdriver/kit.ts";
import { readLayer } from "../layout/layout.ts";

/** How a driver of overlay's layout mounts. */
export interface LayerMounts {
  /** The layers that are mounted now, whoever mounted them. */
  find(): readonly string[];
  /** Those that were when the home was opened, and are held from before. */
  readonly adopted: readonly string[];
  /**
   * Mounts a layer at `<id>/merged`, or finds it mounted there, and returns where it can be seen: a layer without a
   * parent is its diff folder, and never mounted.
   */
  mount(id: string, mountLabel: string): Promise<string>;
  /** Not mounted is success. */
  unmount(id: string): Promise<void>;
}

/** The layers of a home that are mounted, counted and labelled. */
export interface MountedLayers extends Required<Pick<GraphDriver, "get" | "put" | "cleanup">> {
  isHeld(id: string): boolean;
  /** What the layer is mounted with, whoever mounts it: who compares trees while a container starts knows no label. */
  setLabel(id: string, mountLabel: string | undefined): void;
  /** Unmounts a layer that is to go, however often it is held. For whoever has its lock. */
  drop(id: string): Promise<void>;
  /** The layer is unmounted, and gone. */
  forget(id: string): void;
}

export function createMountedLayers(home: OpenHome, mounts: LayerMounts): MountedLayers {
  const { path, resume } = home;
  const counts = createMountCounts({ adopted: mounts.adopted, file: `${path}/${ownFolder}/counts.json`, resume });
  const labels = new Map<string, string>();

  /** A layer without a parent is its diff folder; to see that takes no worker. */
  async function mount(id: string, mountLabel: string): Promise<string> {
    return readLayer(path, id).lowers.length === 0 ? `${path}/${id}/diff` : mounts.mount(id, mountLabel);
  }

  function forget(id: string): void {
    counts.forget(id);
    labels.delete(id);
  }

  return {
    forget,
    isHeld: (id) => counts.count(id) > 0,

    setLabel(id, mountLabel) {
      if (mountLabel !== undefined && mountLabel !== "") labels.set(id, mountLabel);
    },

    async get(id, { mountLabel = labels.get(id) ?? "" }: GetOptions = {}, call) {
      return home.within(call).locks.withLock(id, async () => {
        // Also where it is held: an engine may have unmounted it itself (moby v26.1.5 `daemon/daemon_linux.go`
        // `cleanupMountsByID`), and a program that serves it may have died.
        const folder = await mount(id, mountLabel);
        if (mountLabel !== "") labels.set(id, mountLabel);
        if (folder.endsWith("/merged")) counts.increment(id);
        return folder;
      });
    },

    async put(id, call) {
      await home.within(call).locks.withLock(id, async () => {
        if (counts.count(id) === 1) await mounts.unmount(id);
        counts.decrement(id);
      });
    },

    async drop(id) {
      await mounts.unmount(id);
      forget(id);
    },

    cleanup: (call) => unmountAll(home, mounts, counts, call),
  };
}

/** A program of user space that hangs holds up its own layer, and not all of them. */
const unmountsAtOnce = 8;

/** @throws an `AggregateError` of what kept layers mounted, when all have been tried. */
async function unmountAll(
  home: OpenHome,
  mounts: LayerMounts,
  counts: MountCounts,
  call: CallOptions | undefined,
): Promise<void> {
  const { locks } = home.within(call);
  const failures: unknown[] = [];
  const mounted = new Set([...counts.held(), ...mounts.find()]).values();
  const unmount = async (id: string): Promise<void> => {
    try {
      await mounts.unmount(id);
    } finally {
      counts.forget(id);
    }
  };
  const unmountSome = async (): Promise<void> => {
    for (const id of mounted) await locks.withLock(id, () => unmount(id)).catch((error) => failures.push(error));
  };
  await Promise.all(Array.from({ length: unmountsAtOnce }, unmountSome));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} layers cannot be unmounted`);
}
