import { join } from "node:path";
import type { Logger } from "../../plugin/index.ts";
import { CleatError } from "../../errors/index.ts";
import { type CommandOptions, defineCommand, type CommandContext } from "../terminal/command.ts";
import { defaultRoot } from "../terminal/default-folders.ts";
import type { Door } from "./doors/door.ts";
import { findFittingDoors } from "./doors/fitting-doors.ts";
import { graphOptions, type GraphValues, openGraphDoor } from "./doors/graph-door.ts";
import { formatDriverOptions } from "./options/graph-drivers.ts";
import { closeDoors, serveDoors } from "./doors/serve-doors.ts";
import { driverOptions, outputOptions } from "./options/serving-options.ts";
import { openSnapshotterDoor } from "./doors/snapshotter-door.ts";
import { describeVolumes, openVolumeDoor, openVolumes } from "./doors/volume-door.ts";

const furtherOptions = {
  "snapshotter-root": { type: "string", value: "PATH", help: "as serve snapshotter has --root" },
  "snapshotter-socket": { type: "string", value: "PATH", help: "as serve snapshotter has --socket" },
  "volume-root": { type: "string", value: "PATH", help: "as serve volume has --root; default in --root" },
} as const satisfies CommandOptions;

interface AllValues extends GraphValues {
  readonly "snapshotter-root"?: string | undefined;
  readonly "snapshotter-socket"?: string | undefined;
  readonly "volume-root"?: string | undefined;
}

export const serveAll = defineCommand({
  details: [
    "A graph driver, as serve graph does, unless Docker is 28 or later, which takes none; a snapshotter, as serve",
    "snapshotter does, where there is a containerd; and volumes, as serve volume does, for root. Graph driver and",
    "volumes share a name and a socket; each keeps what is its own in a place of its own. Options without",
    '"snapshotter" or "volume" in their name are those of serve graph; those of drivers are for both that keep layers.',
  ],
  options: { ...driverOptions, ...graphOptions, ...furtherOptions, ...outputOptions },
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
  const { notGraph, notSnapshotter, notVolumes } = await findFittingDoors(context);
  const { driver, opt, durability } = values;
  const { "snapshotter-root": root, "snapshotter-socket": socket } = values;
  const openers = [
    {
      obstacle: notGraph !== undefined && notVolumes !== undefined,
      open: () => openPluginDoors(values, context, logger, notGraph !== undefined, notVolumes !== undefined),
    },
    {
      obstacle: notSnapshotter !== undefined,
      open: async () => [await openSnapshotterDoor({ driver, opt, durability, root, socket }, context, logger)],
    },
  ];
  const reasons = Object.entries({ "graph driver": notGraph, snapshotter: notSnapshotter, volumes: notVolumes });
  for (const [served, reason] of reasons) if (reason !== undefined) logger.info({ served, reason }, "not served");
  const doors: Door[] = [];
  try {
    for (const { obstacle, open } of openers) {
      if (ending.aborted) return doors;
      if (!obstacle) doors.push(...(await open()));
    }
  } catch (error) {
    await closeDoors(doors);
    throw error;
  }
  if (doors.length > 0) return doors;
  const told = reasons.map(([, reason]) => reason).join(", ");
  throw new CleatError("FAILED_PRECONDITION", `there is nobody to serve: ${told}`);
}

/** Engines find a plugin by its name, whatever it implements: graph driver and volumes answer on one socket. */
async function openPluginDoors(
  values: AllValues,
  context: CommandContext,
  logger: Logger,
  withoutGraph: boolean,
  withoutVolumes: boolean,
): Promise<readonly Door[]> {
  const { name = "cleat", root = defaultRoot(context) } = values;
  const volumeRoot = values["volume-root"] ?? join(root, "volumes", name);
  if (withoutGraph) return [await openVolumeDoor({ ...values, root: volumeRoot }, context, logger)];
  if (withoutVolumes) return [await openGraphDoor(values, context, logger)];
  const volumes = await openVolumes({ name, root: volumeRoot }, context, logger);
  try {
    const door = await openGraphDoor(values, context, logger, [volumes.driver, volumes.tools]);
    const address = String(door.fields["address"]);
    return [door, { ...describeVolumes(volumes, address), close: async () => {} }]; // closed with the other
  } catch (error) {
    await volumes.driver.close();
    throw error;
  }
}
