import { serveGrpc } from "../../grpc/index.ts";
import { assertAddressFree, listenOnSystemd, listenOnUnix, type Logger, notifySystemd } from "../../plugin/index.ts";
import { createSnapshotsService, openGraphDriverSnapshotter } from "../../snapshotter/index.ts";
import type { CommandOptions, CommandContext } from "../terminal/command.ts";
import { defaultSnapshotterRoot, defaultSnapshotterSocket } from "../terminal/default-folders.ts";
import { describeSnapshotter } from "./describe-serving.ts";
import type { Door } from "./door.ts";
import { selectDriver } from "./graph-drivers.ts";
import { absolute, readSocketOptions, type SocketValues, socketOptions } from "./listen-options.ts";
import { drainTimeoutMs } from "./serve-doors.ts";
import { type DriverValues, parseDurability } from "./serving-options.ts";

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
} as const satisfies CommandOptions;

export interface SnapshotterValues extends DriverValues, SocketValues {
  readonly root?: string | undefined;
  readonly "remap-ids"?: boolean | undefined;
}

/** What is in it is root's business, as is who may connect. */
const socketFolderMode = 0o700;

/** Serves a snapshotter over gRPC. @throws what is wrong with options, address, driver or root. */
export async function openSnapshotterDoor(
  values: SnapshotterValues,
  context: CommandContext,
  logger: Logger,
): Promise<Door> {
  const { driver: wished = "auto", opt = [] } = values;
  const root = absolute("root", values.root ?? defaultSnapshotterRoot(context));
  const durability = parseDurability(values.durability);
  const listen = await readSocketOptions(values, () => defaultSnapshotterSocket(context));
  await assertAddressFree(listen); // before anything is looked at that would be another process's
  const choice = await selectDriver({ driver: wished, home: root, root, options: opt, door: "snapshotter" }, logger);
  const remapIds = values["remap-ids"] === true;
  const opening = { driver: choice.factory, root, options: opt, durability, remapIds, logger };
  const snapshotter = await openGraphDriverSnapshotter(opening);
  try {
    const server = await serveGrpc({
      services: [createSnapshotsService(snapshotter)],
      listen: (http2) =>
        "systemd" in listen
          ? listenOnSystemd(http2, listen)
          : listenOnUnix(http2, { folderMode: socketFolderMode, ...listen }),
      close: () => snapshotter.close(),
      drainTimeoutMs,
      logger,
    });
    const toldReady = notifySystemd("READY=1", logger); // not waited for: signals may come as soon as it is told
    return {
      ...describeSnapshotter({ address: server.address, root, ...choice }),
      async close() {
        const told = toldReady.then(() => notifySystemd("STOPPING=1", logger));
        await Promise.all([server.close(), told]);
      },
    };
  } catch (error) {
    await snapshotter.close();
    throw error;
  }
}
