import { mkdir, writeFile } from "node:fs/promises";
import type { Daemon } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";

/** Podman with images, containers, locks and volumes of its own; nothing runs between two commands but containers. */
export interface Podman {
  readonly namespace: Namespace;
  /** Runs the `podman` command and returns what it printed, without the last line break. */
  podman(...args: string[]): Promise<string>;
  /** The same, to be killed before it has ended; `name` names its log. */
  startCommand(name: string, ...args: string[]): Promise<Daemon>;
  /** As `podman run`, where nothing is needed of the host but what the namespace has. */
  run(...args: string[]): Promise<string>;
}

export interface PodmanOptions {
  /** How long it waits for a plugin, in seconds; default Podman's own, 5. */
  readonly pluginTimeoutS?: number;
}

/**
 * Podman whose volume plugins stand at these paths, as the namespace sees them.
 *
 * `runc` and control groups by hand, because they are what Docker brings along, and no systemd answers in a namespace.
 * Locks in files: the other kind lies in `/dev/shm`, which the host's Podman uses too.
 */
export async function openPodman(
  namespace: Namespace,
  volumePlugins: Readonly<Record<string, string>>,
  { pluginTimeoutS }: PodmanOptions = {},
): Promise<Podman> {
  const folder = `${namespace.folder}/podman`;
  const env = [
    `CONTAINERS_CONF=${folder}/containers.conf`,
    `CONTAINERS_STORAGE_CONF=${folder}/storage.conf`,
    `TMPDIR=${folder}`,
  ];
  await mkdir(folder);
  await writeFile(`${folder}/containers.conf`, containersConf(folder, volumePlugins, pluginTimeoutS));
  await writeFile(`${folder}/storage.conf`, storageConf(folder));
  const podman = async (...args: string[]) => (await namespace.run(["env", ...env, "podman", ...args])).trimEnd();
  return {
    namespace,
    podman,
    startCommand: (name, ...args) => namespace.start(name, ["env", ...env, "podman", ...args]),
    run: (...args) => podman("run", "--network=none", `--cgroup-parent=${namespace.controlGroup}`, ...args),
  };
}

function containersConf(
  folder: string,
  volumePlugins: Readonly<Record<string, string>>,
  pluginTimeoutS: number | undefined,
): string {
  return `
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
lock_type = "file"
events_logger = "none"
tmp_dir = "/run/libpod"
network_config_dir = "${folder}/networks"
${pluginTimeoutS === undefined ? "" : `volume_plugin_timeout = ${pluginTimeoutS}`}
[engine.volume_plugins]
${Object.entries(volumePlugins)
  .map(([name, socket]) => `${name} = "${socket}"`)
  .join("\n")}
`;
}

function storageConf(folder: string): string {
  return `
[storage]
driver = "overlay"
graphroot = "${folder}/graph"
runroot = "/run/containers"
`;
}
