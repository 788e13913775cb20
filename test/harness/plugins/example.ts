import { cp, mkdir, symlink } from "node:fs/promises";
import { resolve } from "node:path";
import { runCommand } from "../processes/command.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { pluginSocket, startPlugin, type PluginProcess } from "./plugin-process.ts";

/**
 * Builds an example in `folder`, in which only Cleat, zod and the types of Node are there, as its author would; returns
 * the folder of its programs.
 */
export async function buildExample(name: string, folder: string): Promise<string> {
  const project = resolve(".");
  await cp(`examples/${name}`, folder, { recursive: true });
  await mkdir(`${folder}/node_modules/@types`, { recursive: true });
  await symlink(project, `${folder}/node_modules/cleat`);
  await symlink(`${project}/node_modules/zod`, `${folder}/node_modules/zod`);
  await symlink(`${project}/node_modules/@types/node`, `${folder}/node_modules/@types/node`);
  await runCommand([`${project}/node_modules/.bin/tsc`, "-p", folder]);
  return `${folder}/dist`;
}

/** An example that serves a plugin, as `node PROGRAM SOCKET ARGUMENTS…`. */
export interface ExamplePlugin {
  readonly name: string;
  readonly example: string;
  readonly program: string;
  readonly arguments: readonly string[];
}

/** With this machine's files: it has the commands that the plugin calls, where another release's root may lack them. */
export async function startExample(namespace: Namespace, plugin: ExamplePlugin): Promise<PluginProcess> {
  const { name, example, program } = plugin;
  const programs = await buildExample(example, `${namespace.folder}/example-${name}`);
  const socket = namespace.reach(pluginSocket(name));
  const argv = [process.execPath, `${programs}/${program}`, socket, ...plugin.arguments];
  return startPlugin(namespace, { name, argv, machineFiles: true });
}
