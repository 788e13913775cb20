import { assertAddressFree, type Logger } from "../../../plugin/index.ts";
import {
  createSnapshotsService,
  type DiffService,
  openDiffService,
  openGraphDriverSnapshotter,
  servedNameFile,
} from "../../../snapshotter/index.ts";
import { type CommandOptions, type CommandContext, UsageError } from "../../terminal/command.ts";
import {
  defaultContainerdSocket,
  defaultSnapshotterRoot,
  defaultSnapshotterSocket,
} from "../../terminal/default-folders.ts";
import { selectDriver } from "../options/graph-drivers.ts";
import { absolute, readSocketOptions, type SocketValues, socketOptions } from "../options/listen-options.ts";
import { type DriverValues, parseDurability } from "../options/serving-options.ts";
import { describeSnapshotter } from "./describe-serving.ts";
import type { Door } from "./door.ts";
import { serveGrpcDoor } from "./serve-grpc-door.ts";

export const snapshotterOptions = {
  root: {
    type: "string",
    value: "PATH",
    help: "keep layers and records here; default /var/lib/containerd/io.containerd.snapshotter.v1.cleat",
  },
  ...socketOptions("default /run/cleat/snapshotter.sock; for users in XDG_RUNTIME_DIR"),
  "remap-ids": {
    type: "boolean",
    help: "mount with mapped ids where a snapshot's labels say so, as containerd 1.7 and later can",
  },
  diff: {
    type: "boolean",
    help:
      "be containerd's differ, too (proxy plugin of type diff, since containerd 1.7.4): make layers of what " +
      "containers changed",
  },
  apply: { type: "boolean", help: "with --diff: unpack layers, too" },
  containerd: {
    type: "string",
    value: "PATH",
    help: "with --diff: containerd's own socket; default /run/containerd/containerd.sock",
  },
} as const satisfies CommandOptions;

export interface SnapshotterValues extends DriverValues, SocketValues {
  readonly root?: string | undefined;
  readonly "remap-ids"?: boolean | undefined;
  readonly diff?: boolean | undefined;
  readonly apply?: boolean | undefined;
  readonly containerd?: string | undefined;
}

/** Serves a snapshotter over gRPC. @throws what is wrong with options, address, driver or root. */
export async function openSnapshotterDoor(
  values: SnapshotterValues,
  context: CommandContext,
  logger: Logger,
): Promise<Door> {
  const { driver: wished = "auto", opt = [] } = values;
  const root = absolute("root", values.root ?? defaultSnapshotterRoot(context));
  const durability = parseDurability(values.durability);
  const differ = readDifferOptions(values);
  const listen = await readSocketOptions(values, () => defaultSnapshotterSocket(context));
  await assertAddressFree(listen); // before anything is looked at that would be another process's
  const choice = await selectDriver({ driver: wished, home: root, root, options: opt, door: "snapshotter" }, logger);
  const remapIds = values["remap-ids"] === true;
  const opening = { driver: choice.factory, root, options: opt, durability, remapIds, logger };
  const snapshotter = await openGraphDriverSnapshotter(opening);
  let diffs: DiffService | undefined;
  const close = async () => {
    await diffs?.close();
    await snapshotter.close();
  };
  try {
    diffs = differ && (await openDiffService({ ...differ, root, store: choice.store, logger }));
    const snapshots = createSnapshotsService(snapshotter, { file: servedNameFile(root), logger });
    const services = [snapshots, ...(diffs === undefined ? [] : [diffs.service])];
    const server = await serveGrpcDoor({ services, listen, close, logger });
    return {
      ...describeSnapshotter({ address: server.address, root, ...choice }),
      close: server.close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws UsageError for options of a differ where there is to be none. */
function readDifferOptions({ diff, apply = false, containerd }: SnapshotterValues) {
  if (diff === true) {
    return { apply, containerd: absolute("containerd", containerd ?? defaultContainerdSocket) };
  }
  if (!apply && containerd === undefined) return undefined;
  throw new UsageError("--apply and --containerd say how --diff works, which is not given");
}
