import { accepts } from "../processes/accepts.ts";
import { cleatCommand } from "../plugins/cleat.ts";
import { type Daemon, logTail, untilReady } from "../processes/daemon.ts";
import { type DataFileSystem, mountDataRoot } from "../namespaces/data-root.ts";
import type { Namespace } from "../namespaces/namespace.ts";

export interface SnapshotterOptions {
  /** As containerd is going to call it. */
  readonly name: string;
  readonly driver: string;
  /** Default a folder of its own. */
  readonly root?: string;
  /** The file system that the root must be on; undefined where any will do. */
  readonly fileSystem?: DataFileSystem | undefined;
  readonly arguments?: readonly string[];
}

/** A proxy snapshotter in a process of its own, which can be ended and started again. */
export interface SnapshotterProcess {
  readonly name: string;
  readonly root: string;
  /** As the namespace sees it. */
  readonly socket: string;
  readonly logPath: string;
  /** Of the process that runs now; another one after `start`. */
  pid(): number;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again, as at first; returns when it listens. */
  start(): Promise<void>;
}

/** A `cleat serve snapshotter` process. */
export async function startSnapshotter(namespace: Namespace, options: SnapshotterOptions): Promise<SnapshotterProcess> {
  const { name, driver, fileSystem, root = `${namespace.folder}/${name}` } = options;
  if (fileSystem !== undefined) await mountDataRoot(namespace, root, fileSystem);
  const argv = (socket: string) => [
    ...cleatCommand,
    "serve",
    "snapshotter",
    `--driver=${driver}`,
    `--root=${root}`,
    `--socket=${socket}`,
    ...(options.arguments ?? []),
  ];
  return startProxy(namespace, { name, root, argv });
}

/** Any server of proxy snapshotters; `argv` is told where it is to listen. */
export async function startProxy(
  namespace: Namespace,
  options: { readonly name: string; readonly root: string; argv(socket: string): readonly string[] },
): Promise<SnapshotterProcess> {
  const { name, root, argv } = options;
  const socket = `/run/${name}/snapshotter.sock`;
  await namespace.run(["mkdir", "-p", "-m", "700", `/run/${name}`]);
  let daemon: Daemon;
  const start = async () => {
    daemon = await namespace.start(`snapshotter-${name}`, argv(socket));
    await untilReady(daemon, `snapshotter ${name} to listen`, () => accepts(namespace.reach(socket)));
  };
  await start();
  return {
    name,
    root,
    socket,
    logPath: `${namespace.folder}/snapshotter-${name}.log`,
    pid: () => daemon.pid,
    async end(signal) {
      if (daemon.hasEnded()) throw new Error(`snapshotter ${name} had ended; its log ends:\n${await logTail(daemon)}`);
      await daemon.end(signal);
    },
    start,
  };
}
