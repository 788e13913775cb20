import { resolve } from "node:path";
import type { Namespace } from "../namespaces/namespace.ts";
import { pluginSocket, startPlugin, type PluginProcess } from "./plugin-process.ts";

export interface CleatOptions {
  /** The plugin's name, which is what `dockerd --storage-driver` names. */
  readonly name: string;
  readonly driver: string;
  readonly arguments?: readonly string[] | undefined;
}

/** A `cleat serve graph` process. */
export type Cleat = PluginProcess;

/** The command of the built package. */
export const cleatCommand: readonly string[] = [process.execPath, resolve("dist/cli/main.js")];

export function startCleat(namespace: Namespace, options: CleatOptions): Promise<Cleat> {
  const { name, driver } = options;
  const argv = [
    ...cleatCommand,
    "serve",
    "graph",
    `--name=${name}`,
    `--driver=${driver}`,
    `--root=${namespace.folder}/${name}`,
    `--socket=${pluginSocket(name)}`,
    "--log-level=info",
    ...(options.arguments ?? []),
  ];
  return startPlugin(namespace, { name, argv });
}
