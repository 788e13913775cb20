/** Times Cleat beside what it replaces, on this machine. Ends with code 1 when a limit is exceeded. */
import { parseArgs } from "node:util";
import { measureDockerCommands } from "./docker-commands.ts";
import { measureLayerMemory } from "./layer-memory.ts";
import { measureLayerStream } from "./layer-stream.ts";
import { isOverLimit, type Measurement } from "./measure.ts";
import { formatJson, formatTable } from "./report.ts";
import { measureNaiveChanges } from "./naive-changes.ts";
import { measureSmallCalls } from "./small-calls.ts";
import { measureSnapshotterMemory } from "./snapshotter-memory.ts";
import {
  measureSnapshotterBehind,
  measureSnapshotterCalls,
  measureSnapshotterDocker,
  measureSnapshotterImports,
  measureSnapshotterLists,
} from "./snapshotter.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    "layer-gib": { type: "string", default: "4" },
    snapshots: { type: "string", default: "10000" },
    only: { type: "string", multiple: true },
  },
});
const rounds = Number(values.rounds);

const parts: Readonly<Record<string, () => Promise<readonly Measurement[]>>> = {
  "docker-commands": () => measureDockerCommands(rounds),
  "layer-memory": measureLayerMemory,
  "layer-stream": () => measureLayerStream(Number(values["layer-gib"])),
  "naive-changes": () => measureNaiveChanges(rounds),
  "small-calls": () => measureSmallCalls(rounds),
  "snapshotter-calls": () => measureSnapshotterCalls(rounds),
  "snapshotter-behind": () => measureSnapshotterBehind(rounds),
  "snapshotter-imports": () => measureSnapshotterImports(rounds),
  "snapshotter-lists": () => measureSnapshotterLists(Number(values.snapshots)),
  "snapshotter-memory": () => measureSnapshotterMemory(Number(values.snapshots), rounds),
  "snapshotter-docker": () => measureSnapshotterDocker(rounds),
};

/** The part of this name, or all whose names begin with it: "snapshotter". */
function partsOf(word: string): readonly string[] {
  const found = Object.keys(parts).filter((name) => name === word || name.startsWith(`${word}-`));
  if (found.length > 0) return found;
  console.error(`cleat: --only "${word}" names no part; there are ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}

const names = values.only?.flatMap(partsOf) ?? Object.keys(parts);
const measurements: Measurement[] = [];
for (const name of names) measurements.push(...(await parts[name]!()));
console.log(values.json ? formatJson(measurements) : formatTable(measurements));
if (measurements.some(isOverLimit)) process.exitCode = 1;
