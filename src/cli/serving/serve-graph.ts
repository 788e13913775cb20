import { defineCommand } from "../terminal/command.ts";
import { graphOptions, openGraphDoor } from "./doors/graph-door.ts";
import { formatDriverOptions } from "./options/graph-drivers.ts";
import { serveDoors } from "./doors/serve-doors.ts";
import { driverOptions, outputOptions } from "./options/serving-options.ts";

export const serveGraph = defineCommand({
  details: [
    "The engine says where layers are kept (its Home); --home overrides that. --root is where Cleat keeps what is its",
    "own, and the layers of an engine that names no Home.",
    "",
    "With --driver auto each home keeps the driver whose layers it holds; cleat doctor says which one a new home gets.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. Mounts stay for the next start.",
  ],
  options: { ...driverOptions, ...graphOptions, ...outputOptions },
  furtherHelp: formatDriverOptions,
  async run(values, _operands, context) {
    await serveDoors(values, context, async (logger) => [await openGraphDoor(values, context, logger)]);
    return "done";
  },
});
