import type { CallOptions, CreateOptions } from "../../../graphdriver/index.ts";
import type { LayerKeeper, OpenHome } from "../../../graphdriver/kit.ts";
import { abandonWrite } from "../../../syscall/index.ts";
import type { ModuleReference, WorkerPool } from "../../../workers/index.ts";
import type { OverlayMounter } from "../mounts/mount-specs.ts";
import type { createLayer, MadeLayer, NewLayer } from "./create-layer.ts";
import type { dropSpares } from "./spare-layer.ts";

/** Has the layers of a home made, one of a spare at a time, and the next spare behind it (`spare-layer.ts`). */
export interface LayerMaker {
  /** Returns the project of a layer with a size. @throws as `createLayer`. */
  make(
    layer: NewLayer,
    options: Pick<CreateOptions, "rootOwner" | "onMounts" | "record">,
    call: CallOptions | undefined,
  ): Promise<number | undefined>;
  /** Takes away what is left of spares, if there may be any. What cannot be is swept when the home is opened. */
  dropSpares(): Promise<void>;
}

/** Without a `mounter`, nobody is told how a layer is mounted. */
export function createLayerMaker(
  home: OpenHome,
  worker: ModuleReference<{ readonly createLayer: typeof createLayer; readonly dropSpares: typeof dropSpares }>,
  keeper: LayerKeeper,
  mounter: OverlayMounter | undefined,
): LayerMaker {
  let isLent = false;
  let mayBeLeft = false;

  /** Of layers made side by side the others have threads of their own, which end, and would leave theirs to nobody. */
  async function lend<T>(make: (spares: boolean) => Promise<T>): Promise<T> {
    if (isLent) return make(false);
    isLent = mayBeLeft = true;
    try {
      return await make(true);
    } finally {
      isLent = false;
    }
  }

  /** Its caller may have given it up meanwhile, and waits for nothing but the record. */
  async function makeOn(pool: WorkerPool, layer: NewLayer): Promise<MadeLayer> {
    try {
      return await pool.run(worker, "createLayer", home.path, layer);
    } finally {
      if (layer.record !== undefined) abandonWrite(layer.record);
    }
  }

  return {
    async make(layer, { rootOwner, onMounts, record }, call) {
      const wanted: NewLayer = onMounts && mounter ? { ...layer, rootOwner, mounter, record } : layer;
      const { project, mount } = await keeper.make(
        layer.id,
        layer.parent,
        (pool) => lend((spares) => makeOn(pool, { ...wanted, spares })),
        call,
      );
      if (mount !== undefined) onMounts?.([mount]);
      return project;
    },
    async dropSpares() {
      if (!mayBeLeft) return;
      const log = (error: unknown) => home.logger.warn({ err: error }, "a spare layer is left until the next opening");
      await home.pool.run(worker, "dropSpares", home.path).catch(log);
    },
  };
}
