import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { pluginLocations } from "../../../host/index.ts";
import { withFolderAt } from "../../../layer/index.ts";
import { fileSystemName } from "../../../syscall/index.ts";
import type { CommandContext } from "../../terminal/command.ts";
import type { Door } from "./door.ts";

interface Serving {
  readonly address: string;
  readonly driverName: string;
  readonly note: string | undefined;
  readonly root: string;
}

interface ServingGraphDriver extends Serving {
  readonly name: string;
  readonly home: string | undefined;
}

type Description = Pick<Door, "lines" | "fields">;

/** What is served where, on which file system, and what to try next. */
export function describeGraphDriver(serving: ServingGraphDriver, context: CommandContext): Description {
  const { name, address, root, home } = serving;
  const layers = home ?? `in the engine's data root (its own: ${root})`;
  const fileSystem = fileSystemOf(home ?? root);
  const next = nextCommand(serving, context);
  return {
    lines: describe(`Cleat serves the graph driver "${name}" at ${address}`, serving, { fileSystem, layers, next }),
    fields: { name, address, ...driverFields(serving), root, home: home ?? null, fileSystem, next },
  };
}

/** The same of a snapshotter. */
export function describeSnapshotter(serving: Serving): Description {
  const { address, root } = serving;
  const fileSystem = fileSystemOf(root);
  const next = "cleat config containerd";
  return {
    lines: describe(`Cleat serves a snapshotter at ${address}`, serving, { fileSystem, layers: root, next }),
    fields: { door: "snapshotter", address, ...driverFields(serving), root, fileSystem, next },
  };
}

function describe(
  title: string,
  { driverName, note }: Serving,
  { fileSystem, layers, next }: { readonly fileSystem: string; readonly layers: string; readonly next: string },
): readonly string[] {
  const driver = `${driverName} on ${fileSystem}${note === undefined ? "" : ` (${note})`}`;
  return [title, `  driver  ${driver}`, `  layers  ${layers}`, `  try     ${next}`];
}

function driverFields({ driverName, note }: Serving): Readonly<Record<string, unknown>> {
  return { driver: driverName, note };
}

/** What an engine is started with; a call where no engine would look for the socket, or none would run as this user. */
function nextCommand({ name, address }: ServingGraphDriver, context: CommandContext): string {
  if (!address.startsWith("unix://")) return `dockerd --experimental -s ${name}`;
  const socket = address.slice("unix://".length);
  const isFound = context.uid === 0 && pluginLocations(context).sockets.includes(dirname(socket));
  return isFound
    ? `dockerd --experimental -s ${basename(socket, ".sock")}`
    : `npx cleat call ${socket} Plugin.Activate`;
}

/** The file system of a folder, or of where it will be made. */
function fileSystemOf(path: string): string {
  return existsSync(path) ? withFolderAt(path, fileSystemName) : fileSystemOf(dirname(path));
}
