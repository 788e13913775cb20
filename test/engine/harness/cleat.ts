import { resolve } from "node:path";
import { answers } from "./answers.ts";
import { untilReady, type Daemon } from "./daemon.ts";
import type { Namespace } from "./namespace.ts";

export interface CleatOptions {
  /** The plugin's name, which is what `dockerd --storage-driver` names. */
  readonly name: string;
  readonly driver: string;
}

/** A `cleat serve graph` process, from the built package. */
export interface Cleat {
  readonly logPath: string;
  /** Of the process that runs now; another one after `start`. */
  pid(): number;
  /** Where the host reaches the socket that stands in the namespace's `/run`. */
  socketPath(): string;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  start(): Promise<void>;
}

const readyDeadlineMs = 30_000;
const entry = resolve("dist/cli/main.js");

export async function startCleat(namespace: Namespace, { name, driver }: CleatOptions): Promise<Cleat> {
  const socket = `/run/docker/plugins/${name}.sock`;
  const argv = [
    process.execPath,
    entry,
    "serve",
    "graph",
    `--name=${name}`,
    `--driver=${driver}`,
    `--root=${namespace.folder}/${name}`,
    `--socket=${socket}`,
    "--log-level=info",
  ];
  let daemon: Daemon;
  const socketPath = () => `/proc/${daemon.pid}/root${socket}`;
  const start = async () => {
    daemon = await namespace.start(`plugin-${name}`, argv);
    await untilReady(daemon, `cleat ${name} to answer`, readyDeadlineMs, () =>
      answers(socketPath(), "POST", "/Plugin.Activate"),
    );
  };
  await start();
  return {
    logPath: `${namespace.folder}/plugin-${name}.log`,
    pid: () => daemon.pid,
    socketPath,
    end: (signal) => daemon.end(signal),
    start,
  };
}
