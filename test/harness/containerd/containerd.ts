import { writeFile } from "node:fs/promises";
import { accepts } from "../processes/accepts.ts";
import { type Daemon, untilReady } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import type { SnapshotterProcess } from "./snapshotter.ts";

export interface ContainerdOptions {
  /** Tells several in one namespace apart; default "containerd", which is where clients look that are told nothing. */
  readonly name?: string;
  readonly proxies: readonly Pick<SnapshotterProcess, "name" | "root" | "socket">[];
  /** One of the proxies that makes diffs, too, and is asked before containerd's own differ; since containerd 1.7.4. */
  readonly differ?: Pick<SnapshotterProcess, "name" | "socket">;
  /** What containerd is told that each of the proxies can do; it asks none. Since containerd 1.7.23. */
  readonly capabilities?: readonly string[];
  /** The snapshotter of its Kubernetes side, which is off without. */
  readonly criSnapshotter?: string;
}

/** A containerd that meets nothing of the host's, with `ctr` for it. */
export interface Containerd {
  readonly root: string;
  /** As the namespace sees it. */
  readonly socket: string;
  readonly logPath: string;
  /** Of the daemon that runs now; another one after `start`. */
  pid(): number;
  /** Runs `ctr` in a namespace of containerd's and returns what it printed, without the last line break. */
  ctr(space: string, ...args: string[]): Promise<string>;
  /** Ends the daemon; containers run on. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  start(): Promise<void>;
}

/** Under which its snapshotters have their folders, and Cleat has the one of its own that needs no configuration. */
export function containerdRoot({ folder }: Pick<Namespace, "folder">, name = "containerd"): string {
  return `${folder}/${name}`;
}

/** The pause image of pods is made by whoever needs it. */
export const pauseImage = "localhost/pause:latest";

export async function startContainerd(namespace: Namespace, options: ContainerdOptions): Promise<Containerd> {
  const { name = "containerd" } = options;
  const root = containerdRoot(namespace, name);
  const state = `/run/${name}`;
  const socket = `${state}/containerd.sock`;
  const config = `${namespace.folder}/${name}.toml`;
  await writeFile(config, configOf({ root, state, socket }, options));
  let daemon: Daemon;
  const start = async () => {
    daemon = await namespace.start(name, ["containerd", "--config", config]);
    await untilReady(daemon, `${name} to listen`, () => accepts(namespace.reach(socket)));
  };
  await start();
  return {
    root,
    socket,
    logPath: `${namespace.folder}/${name}.log`,
    pid: () => daemon.pid,
    ctr: async (space, ...args) =>
      (await namespace.run(["ctr", `--address=${socket}`, `--namespace=${space}`, ...args])).trimEnd(),
    end: (signal) => daemon.end(signal),
    start,
  };
}

/** They have folders of the host's. */
const hostPlugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"];

/** Tables of later versions are unknown to earlier ones, which say so and go on; version 2 is understood by all. */
function configOf({ root, state, socket }: Readonly<Record<string, string>>, options: ContainerdOptions): string {
  const { proxies, differ, capabilities = [], criSnapshotter } = options;
  const cri = criSnapshotter === undefined ? ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images"] : [];
  return `
version = 2
root = "${root}"
state = "${state}/state"
disabled_plugins = ${JSON.stringify([...cri, ...hostPlugins])}
[grpc]
address = "${socket}"
${proxies.map((proxy) => proxyOf(proxy, capabilities)).join("")}
${differ === undefined ? "" : differOf(differ)}
${["overlayfs", ...proxies.map(({ name }) => name)].map(unpackOf).join("")}
${criSnapshotter === undefined ? "" : criOf(criSnapshotter)}
`;
}

function proxyOf(
  { name, root, socket }: ContainerdOptions["proxies"][number],
  capabilities: readonly string[],
): string {
  return `
[proxy_plugins.${name}]
type = "snapshot"
address = "${socket}"
capabilities = ${JSON.stringify(capabilities)}
[proxy_plugins.${name}.exports]
root = "${root}"
`;
}

function differOf({ name, socket }: NonNullable<ContainerdOptions["differ"]>): string {
  return `
[proxy_plugins.${name}-diff]
type = "diff"
address = "${socket}"
[plugins."io.containerd.service.v1.diff-service"]
default = ["${name}-diff", "walking"]
`;
}

/** The transfer service, by which `ctr` imports since 1.7, takes none that is not named here. */
function unpackOf(snapshotter: string): string {
  return `
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux/${process.arch === "arm64" ? "arm64" : "amd64"}"
snapshotter = "${snapshotter}"
differ = "walking"
`;
}

/** Of an earlier version's tables containerd 2.1.9 takes everything but the snapshotter. */
function criOf(snapshotter: string): string {
  return `
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${pauseImage}"
disable_apparmor = true
disable_hugetlb_controller = true
stats_collect_period = 1
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "${snapshotter}"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "${snapshotter}"
`;
}
