import { existsSync } from "node:fs";
import { answers } from "../processes/answers.ts";
import { untilReady, type Daemon } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";

export interface DockerdOptions {
  /** Tells several in one namespace apart. */
  readonly name: string;
  /** What `--storage-driver` names: one of Docker's own, or a plugin. */
  readonly storageDriver: string;
  readonly dataRoot: string;
  /** Runs containers in a user namespace, whose root is `firstId` on the host. */
  readonly remap?: { readonly firstId: number } | undefined;
  /** Keeps images and containers in a containerd, where `storageDriver` is a snapshotter of its; from Docker 28 on. */
  readonly containerd?: { readonly socket: string; readonly space: string } | undefined;
  /** What else it is started with: `--authorization-plugin=NAME`. */
  readonly arguments?: readonly string[];
}

/** A Docker daemon that meets nothing of the host's, and a client for it. */
export interface Dockerd {
  readonly dataRoot: string;
  readonly storageDriver: string;
  readonly logPath: string;
  /** Of the process that runs now, as the host sees it. */
  pid(): number;
  /** Where the host reaches its API. */
  readonly socketPath: string;
  /** Runs the `docker` command and returns what it printed, without the last line break. */
  docker(...args: string[]): Promise<string>;
  /** Ends the daemon; `SIGTERM` lets it stop its containers (unless `liveRestore`) and unmount. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again. With `liveRestore` containers outlive the daemon, and the next one takes them over. */
  start(options?: { readonly liveRestore: boolean }): Promise<void>;
}

export async function startDockerd(namespace: Namespace, options: DockerdOptions): Promise<Dockerd> {
  const { name, storageDriver, dataRoot, remap, containerd } = options;
  const socketPath = `${namespace.folder}/${name}.sock`;
  // Debian's client belongs to Debian's daemon; a newer one elsewhere in the path may not speak to it.
  const client = existsSync(namespace.reach("/usr/bin/docker")) ? "/usr/bin/docker" : "docker";
  const env = [
    `DOCKER_HOST=unix://${socketPath}`,
    `DOCKER_CONFIG=${namespace.folder}`,
    `DOCKER_BUILDKIT=${containerd === undefined ? 0 : 1}`,
  ];
  const argv = [
    "dockerd",
    `--data-root=${dataRoot}`,
    `--exec-root=/run/${name}`,
    `--pidfile=/run/${name}.pid`,
    `--host=unix://${socketPath}`,
    `--cgroup-parent=${namespace.controlGroup}`,
    "--bridge=none",
    "--iptables=false",
    "--ip-forward=false",
    "--experimental",
    `--storage-driver=${storageDriver}`,
    ...(containerd === undefined ? [] : storeArguments(containerd)),
    ...(options.arguments ?? []),
    ...(remap === undefined ? [] : [`--userns-remap=${await allowIds(namespace, remap.firstId)}`]),
  ];
  let daemon: Daemon;
  const start = async ({ liveRestore } = { liveRestore: false }) => {
    daemon = await namespace.start(name, [...argv, `--live-restore=${liveRestore}`]);
    await untilReady(daemon, `dockerd ${name} to answer`, () => answers(socketPath, "GET", "/_ping"));
  };
  await start();
  return {
    dataRoot,
    storageDriver,
    logPath: `${namespace.folder}/${name}.log`,
    socketPath,
    pid: () => daemon.pid,
    docker: async (...args) => (await namespace.run(["env", ...env, client, ...args])).trimEnd(),
    end: (signal) => daemon.end(signal),
    start,
  };
}

function storeArguments({ socket, space }: { readonly socket: string; readonly space: string }): readonly string[] {
  return [
    "--feature=containerd-snapshotter=true",
    `--containerd=${socket}`,
    `--containerd-namespace=${space}`,
    `--containerd-plugins-namespace=plugins-${space}`,
  ];
}

/**
 * Gives a user that every machine has the ids from `firstId` on, in the namespace only, and lets whoever has them
 * through to the data; returns the user. The engine takes the group for the user's name.
 */
async function allowIds({ run, folder }: Namespace, firstId: number): Promise<string> {
  await run(["bash", "-c", script, "allow-ids", folder, String(firstId)]);
  return "nobody";
}

const script = `
  set -e
  chmod o+x "$1"
  cd "$1"
  echo "nobody:$2:65536" > ids
  sed s/^nogroup:/nobody:/ /etc/group > group
  touch /etc/subuid /etc/subgid
  mount --bind ids /etc/subuid
  mount --bind ids /etc/subgid
  mount --bind group /etc/group
`;
