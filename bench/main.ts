/** Times Cleat beside what it replaces, on this machine. Ends with code 1 when a limit is exceeded. */
import { parseArgs } from "node:util";
import { measureDockerCommands } from "./docker-commands.ts";
import { measureLayerStream } from "./layer-stream.ts";
import { isOverLimit } from "./measure.ts";
import { formatJson, formatTable } from "./report.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    "layer-gib": { type: "string", default: "4" },
  },
});

const measurements = [
  ...(await measureDockerCommands(Number(values.rounds))),
  ...(await measureLayerStream(Number(values["layer-gib"]))),
];
console.log(values.json ? formatJson(measurements) : formatTable(measurements));
if (measurements.some(isOverLimit)) process.exitCode = 1;
