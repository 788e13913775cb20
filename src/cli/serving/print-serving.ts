import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { pluginLocations } from "../../host/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { fileSystemName } from "../../syscall/index.ts";
import type { CommandContext } from "../terminal/command.ts";

export interface Serving {
  readonly name: string;
  readonly address: string;
  readonly driverName: string;
  readonly note: string | undefined;
  readonly root: string;
  readonly home: string | undefined;
}

/** Says what is served where, on which file system, and what to try next. */
export function printServing(serving: Serving, asJson: boolean, context: CommandContext): void {
  const { stdout } = context;
  const { name, address, driverName, note, root, home } = serving;
  const fileSystem = fileSystemOf(home ?? root);
  const next = nextCommand(serving, context);
  if (asJson) {
    const fields = { name, address, driver: driverName, note, root, home: home ?? null, fileSystem, next };
    stdout.write(`${JSON.stringify(fields)}\n`);
    return;
  }
  const layers = home ?? `in the engine's data root (its own: ${root})`;
  const lines = [
    `Cleat serves the graph driver "${name}" at ${address}`,
    `  driver  ${driverName} on ${fileSystem}${note === undefined ? "" : ` (${note})`}`,
    `  layers  ${layers}`,
    `  try     ${next}`,
  ];
  stdout.write(`${lines.join("\n")}\n`);
}

/** What an engine is started with; a call where no engine would look for the socket, or none would run as this user. */
function nextCommand({ name, address }: Serving, context: CommandContext): string {
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
