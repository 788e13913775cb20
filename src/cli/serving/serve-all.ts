import type { Logger } from "../../plugin/index.ts";
import { CleatError } from "../../errors/index.ts";
import { type CommandOptions, defineCommand, type CommandContext } from "../terminal/command.ts";
import type { Door } from "./door.ts";
import { findFittingDoors } from "./fitting-doors.ts";
import { graphOptions, type GraphValues, openGraphDoor } from "./graph-door.ts";
import { formatDriverOptions } from "./graph-drivers.ts";
import { closeDoors, serveDoors } from "./serve-doors.ts";
import { driverOptions, outputOptions } from "./serving-options.ts";
import { openSnapshotterDoor } from "./snapshotter-door.ts";

const snapshotterOptions = {
  "snapshotter-root": { type: "string", value: "PATH", help: "as serve snapshotter has --root" },
  "snapshotter-socket": { type: "string", value: "PATH", help: "as serve snapshotter has --socket" },
} as const satisfies CommandOptions;

interface AllValues extends GraphValues {
  readonly "snapshotter-root"?: string | undefined;
  readonly "snapshotter-socket"?: string | undefined;
}

export const serveAll = defineCommand({
  details: [
    "A graph driver, as serve graph does, unless Docker is 28 or later, which takes none; and a snapshotter, as serve snapshotter",
    'does, where there is a containerd. Each keeps its layers in a place of its own. Options without "snapshotter" in their name',
    "are those of serve graph; those of drivers are for both.",
  ],
  options: { ...driverOptions, ...graphOptions, ...snapshotterOptions, ...outputOptions },
  furtherHelp: formatDriverOptions,
  async run(values, _operands, context) {
    await serveDoors(values, context, (logger, ending) => openDoors(values, context, logger, ending));
    return "done";
  },
});

/** @throws what opening one of them throws; those that were opened are closed then. */
async function openDoors(
  values: AllValues,
  context: CommandContext,
  logger: Logger,
  ending: AbortSignal,
): Promise<readonly Door[]> {
  const { notGraph, notSnapshotter } = await findFittingDoors(context);
  const { driver, opt, durability } = values;
  const { "snapshotter-root": root, "snapshotter-socket": socket } = values;
  const openers = [
    { served: "graph driver", obstacle: notGraph, open: () => openGraphDoor(values, context, logger) },
    {
      served: "snapshotter",
      obstacle: notSnapshotter,
      open: () => openSnapshotterDoor({ driver, opt, durability, root, socket }, context, logger),
    },
  ];
  const doors: Door[] = [];
  try {
    for (const { served, obstacle, open } of openers) {
      if (ending.aborted) return doors;
      if (obstacle === undefined) doors.push(await open());
      else logger.info({ served, reason: obstacle }, "not served");
    }
  } catch (error) {
    await closeDoors(doors);
    throw error;
  }
  if (doors.length > 0) return doors;
  throw new CleatError("FAILED_PRECONDITION", `there is nobody to serve: ${notGraph}, and ${notSnapshotter}`);
}
