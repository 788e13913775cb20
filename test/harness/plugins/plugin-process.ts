import { answers } from "../processes/answers.ts";
import { untilReady, type Daemon } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";

export interface PluginProcessOptions {
  /** The plugin's name, as engines call it. */
  readonly name: string;
  /** Where it listens, as the namespace sees it; default the folder in which Docker looks. */
  readonly socket?: string;
  /** What starts it. */
  readonly argv: readonly string[];
  /** Default false; see `startWithMachineFiles`. Then `argv` says where it listens, as the machine sees it. */
  readonly machineFiles?: boolean;
}

/** A plugin in a process of its own, which can be ended and started again. */
export interface PluginProcess {
  readonly name: string;
  readonly logPath: string;
  /** Of the process that runs now; another one after `start`. */
  pid(): number;
  /** Where the host reaches the socket that stands in the namespace's `/run`. */
  socketPath(): string;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again, as at first; returns when it answers. */
  start(): Promise<void>;
}

export async function startPlugin(namespace: Namespace, options: PluginProcessOptions): Promise<PluginProcess> {
  const { name, argv, socket = pluginSocket(name), machineFiles = false } = options;
  let daemon: Daemon;
  const socketPath = () => namespace.reach(socket);
  const start = async () => {
    daemon = await namespace[machineFiles ? "startWithMachineFiles" : "start"](`plugin-${name}`, argv);
    await untilReady(daemon, `plugin ${name} to answer`, () => answers(socketPath(), "POST", "/Plugin.Activate"));
  };
  await start();
  return {
    name,
    logPath: `${namespace.folder}/plugin-${name}.log`,
    pid: () => daemon.pid,
    socketPath,
    end: (signal) => daemon.end(signal),
    start,
  };
}

/** Where Docker looks for the plugin `name`. */
export function pluginSocket(name: string): string {
  return `/run/docker/plugins/${name}.sock`;
}
