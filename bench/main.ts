/**
 * Times Cleat beside what it replaces, on this machine, and prints a table. Ends with code 1 when a limit is exceeded,
 * or, with `--compare`, when a ratio is a tenth worse than in the committed table.
 */
import { parseArgs } from "node:util";
import { measureLayers } from "./layers/in-process.ts";
import { measureLayerCounts } from "./layers/layer-counts.ts";
import { measureThroughDocker } from "./layers/through-docker.ts";
import { measureDockerCommands } from "./engines/docker-commands.ts";
import { measureLayerMemory } from "./streams/layer-memory.ts";
import { measureLayerStream } from "./streams/layer-stream.ts";
import { isOverLimit, type Measurement } from "./measuring/measure.ts";
import { describeMachine } from "./measuring/machine.ts";
import { formatJson, formatMarkdown } from "./report/report.ts";
import { findRegressions, readTable, saveTable, type Table } from "./report/table.ts";
import { measureNaiveChanges } from "./layers/naive-changes.ts";
import { measureSmallCalls } from "./small-calls/small-calls.ts";
import { measureSnapshotterMemory } from "./engines/snapshotter-memory.ts";
import {
  measureSnapshotterBehind,
  measureSnapshotterCalls,
  measureSnapshotterCommits,
  measureSnapshotterDocker,
  measureSnapshotterImports,
  measureSnapshotterLists,
} from "./engines/snapshotter.ts";
import { measureVolumes } from "./volumes.ts";

const options = {
  json: { type: "boolean", default: false },
  rounds: { type: "string", default: "5" },
  save: { type: "boolean", default: false },
  compare: { type: "boolean", default: false },
  "layer-gib": { type: "string", default: "4" },
  volumes: { type: "string", default: "10000" },
  snapshots: { type: "string", default: "10000" },
  only: { type: "string", multiple: true },
} as const;

function readOptions() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(why: string): never {
  console.error(`cleat: ${why}`);
  process.exit(2);
}

function countOf(name: "rounds" | "layer-gib" | "volumes" | "snapshots"): number {
  const text = values[name];
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : refuse(`--${name} "${text}" is not a number from 1 on`);
}

const values = readOptions();
const rounds = countOf("rounds");

const parts: Readonly<Record<string, () => Promise<readonly Measurement[]>>> = {
  "docker-commands": () => measureDockerCommands(rounds, false),
  "docker-exact": () => measureDockerCommands(rounds, true),
  layers: () => measureLayers(rounds),
  "layer-counts": () => measureLayerCounts(rounds),
  "layer-socket": () => measureThroughDocker(rounds),
  "layer-memory": measureLayerMemory,
  "layer-stream": () => measureLayerStream(countOf("layer-gib")),
  "naive-changes": () => measureNaiveChanges(rounds),
  "small-calls": () => measureSmallCalls(rounds),
  "snapshotter-calls": () => measureSnapshotterCalls(rounds),
  "snapshotter-behind": () => measureSnapshotterBehind(rounds),
  "snapshotter-commits": () => measureSnapshotterCommits(rounds),
  "snapshotter-imports": () => measureSnapshotterImports(rounds),
  "snapshotter-lists": () => measureSnapshotterLists(countOf("snapshots")),
  "snapshotter-memory": () => measureSnapshotterMemory(countOf("snapshots"), rounds),
  volumes: () => measureVolumes(countOf("volumes"), rounds),
  "snapshotter-docker": () => measureSnapshotterDocker(rounds),
};

/** The part of this name, or all whose names begin with it: "snapshotter". */
function partsOf(word: string): readonly string[] {
  const found = Object.keys(parts).filter((name) => name === word || name.startsWith(`${word}-`));
  return found.length > 0
    ? found
    : refuse(`--only "${word}" names no part; there are ${Object.keys(parts).join(", ")}`);
}

const names = values.only?.flatMap(partsOf) ?? Object.keys(parts);
const rows: Measurement[] = [];
for (const name of names) rows.push(...(await parts[name]!()));
const table: Table = { machine: describeMachine(), rows };
console.log(values.json ? formatJson(table) : formatMarkdown(table));
if (rows.some(isOverLimit)) process.exitCode = 1;
if (values.compare) {
  const committed = readTable();
  const regressions = committed === undefined ? ["there is no committed table"] : findRegressions(rows, committed);
  for (const sentence of regressions) console.error(`cleat: worse than committed: ${sentence}`);
  if (regressions.length > 0) process.exitCode = 1;
}
if (values.save) saveTable(table);
