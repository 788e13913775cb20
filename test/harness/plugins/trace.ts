import type { Namespace } from "../namespaces/namespace.ts";
import { cleatCommand } from "./cleat.ts";
import { pluginSocket, startPlugin, type PluginProcess } from "./plugin-process.ts";

export interface TraceOptions {
  /** Whom it calls. */
  readonly plugin: string;
  /** What engines call it. */
  readonly name: string;
}

/** A `cleat trace` process, and the fixture that is whole when it has ended. */
export interface Trace extends PluginProcess {
  readonly savePath: string;
}

export async function startTrace(namespace: Namespace, { plugin, name }: TraceOptions): Promise<Trace> {
  const savePath = `${namespace.folder}/${name}.jsonl`;
  const options = [`--as=${name}`, `--socket=${pluginSocket(name)}`, `--save=${savePath}`];
  const process = await startPlugin(namespace, { name, argv: [...cleatCommand, "trace", plugin, ...options] });
  return { ...process, savePath };
}
