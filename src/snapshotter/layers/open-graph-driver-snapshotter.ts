import { existsSync } from "node:fs";
import { chmod, stat } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { CleatError, isSystemError, toCleatError, UnsupportedError, withSubject } from "../../errors/index.ts";
import type { Durability, GraphDriver, GraphDriverFactory } from "../../graphdriver/index.ts";
import { makeCleanFolder, makeFolders } from "../../graphdriver/kit.ts";
import { isInUserNamespace } from "../../syscall/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import type { Snapshotter } from "../snapshotter.ts";
import { openHomeSync } from "./home-sync.ts";
import { keepToRoot } from "./keep-to-root.ts";
import { createLayerStorage } from "./layer-storage.ts";
import { markFileOf, recordsFolderOf } from "./records-place.ts";
import { assertServable } from "./servable-driver.ts";

export interface OpenGraphDriverSnapshotterOptions {
  /** Any graph driver that can tell a layer's mounts and usage, and list its layers. */
  readonly driver: GraphDriverFactory;
  /**
   * Absolute path of the folder for layers and records, which is made, and is for root alone. One process at a time has
   * it.
   */
  readonly root: string;
  /** The driver's own options, `key=value`, each. */
  readonly options?: readonly string[];
  /**
   * With `layer`, the default, and with `file` all that was unpacked is on the disk when a commit is acknowledged. With
   * `none` the kernel writes it in its own time: after a power loss an image may be there whose files are empty, and
   * of a snapshot of the last seconds there may be nothing but its name, which is NOT_FOUND then, and may be removed.
   */
  readonly durability?: Durability;
  /**
   * Whether a snapshot with labels `containerd.io/snapshot/uidmapping` and `gidmapping` is mounted with mapped ids.
   * containerd v1.7 and later do that, and are told so in their configuration: capability `remap-ids`. Default false.
   */
  readonly remapIds?: boolean;
  readonly logger?: Logger;
}

/**
 * Opens a snapshotter over a graph driver: each snapshot is a layer, named by its number.
 * @throws UNIMPLEMENTED when the driver cannot be a snapshotter, does not work here, or cannot map ids that it is asked
 * to map.
 * @throws FAILED_PRECONDITION when another process has the root, or it holds layers of another driver's or of Docker's.
 * @throws DATA_LOSS when the records are damaged, or older than the snapshots; INVALID_ARGUMENT when the root is no
 * absolute path, or for a wrong option.
 */
export async function openGraphDriverSnapshotter(options: OpenGraphDriverSnapshotterOptions): Promise<Snapshotter> {
  const { driver: factory, root, durability = "layer", remapIds = false, logger = silentLogger } = options;
  if (!isAbsolute(root)) throw new CleatError("INVALID_ARGUMENT", `root "${root}" is not an absolute path`);
  makePrivate(root);
  if (remapIds) await assertMapsIds(factory, root);
  const wanted = { home: root, options: options.options ?? [], durability, logger, door: "snapshotter" } as const;
  const driver = await factory.open(wanted);
  try {
    return await openOverDriver(driver, { root, durability, remapIds, logger });
  } catch (error) {
    await driver.close();
    throw toCleatError(error, `snapshots of "${root}" cannot be opened`);
  }
}

async function openOverDriver(
  driver: GraphDriver,
  options: Required<Pick<OpenGraphDriverSnapshotterOptions, "root" | "durability" | "remapIds" | "logger">>,
): Promise<Snapshotter> {
  const { root, durability, remapIds, logger } = options;
  assertServable(driver);
  // A full btrfs has no room for what changes nothing.
  if (((await stat(root)).mode & 0o7777) !== privateMode) await chmod(root, privateMode);
  const homeSync = durability === "none" ? undefined : await openHomeSync(root);
  try {
    // In a user namespace no engine unpacks whiteouts as overlay has them (containerd issue 3762).
    const rebase = !isInUserNamespace();
    const records = recordsFolderOf(root);
    const mendable = await lieOnOneFileSystem(root, records);
    const layers = createLayerStorage({ driver, homeSync, mendable, rebase, remapIds, logger });
    const storage = keepToRoot(layers, root);
    const flushesPlaces = durability !== "none";
    return await openSnapshotter({ root: records, storage, flushesPlaces, markFile: markFileOf(root), logger });
  } catch (error) {
    await homeSync?.close();
    throw error;
  }
}

/**
 * Whether a flush of the records brings the names of layers along; who opens the records makes their folder, durably.
 */
async function lieOnOneFileSystem(root: string, records: string): Promise<boolean> {
  const folder = await stat(records).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return stat(dirname(records));
    throw error;
  });
  return folder.dev === (await stat(root)).dev;
}

/** What is in a snapshot is its container's, whoever else may pass through the folder. */
const privateMode = 0o700;
/**
 * containerd's own for its root, through which containers with mapped ids pass. Source: containerd v1.6.20
 * `services/server/server.go`.
 */
const passageMode = 0o711;

/** What is there already is left as it is: the driver says what is wrong with it. */
function makePrivate(root: string): void {
  try {
    makeFolders(dirname(root), passageMode);
    if (!existsSync(root)) makeCleanFolder(root, privateMode);
  } catch (error) {
    throw withSubject(error, `root "${root}" cannot be made`);
  }
}

/** @throws UNIMPLEMENTED where layers cannot be mounted with other owners. */
async function assertMapsIds({ name, probe }: GraphDriverFactory, root: string): Promise<void> {
  const report = await probe?.(root);
  const feature = report?.features.find((one) => one.name === "id-mapped layers");
  if (feature?.state === "yes") return;
  throw new UnsupportedError(`${name} with mapped ids`, {
    needed: "id-mapped layers",
    probed: feature?.how ?? "the driver",
    seen: feature?.note ?? "none",
  });
}
