import { defineCommand } from "../terminal/command.ts";
import { formatDriverOptions } from "./options/graph-drivers.ts";
import { serveDoors } from "./doors/serve-doors.ts";
import { driverOptions, outputOptions } from "./options/serving-options.ts";
import { openSnapshotterDoor, snapshotterOptions } from "./doors/snapshotter-door.ts";

export const serveSnapshotter = defineCommand({
  details: [
    "containerd has to be told of it: cleat config containerd prints how. The snapshotter's name is that of",
    "containerd's configuration, the first that calls; a second one is refused as long as there are snapshots of the",
    "first, since containerd's collector would remove them all.",
    "",
    "With --driver auto a root keeps the driver whose layers it holds. One process at a time has a root; an engine of",
    "Docker's protocol (serve graph) needs another one.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. Nothing is unmounted: containers run on.",
  ],
  options: { ...driverOptions, ...snapshotterOptions, ...outputOptions },
  furtherHelp: formatDriverOptions,
  async run(values, _operands, context) {
    await serveDoors(values, context, async (logger) => [await openSnapshotterDoor(values, context, logger)]);
    return "done";
  },
});
