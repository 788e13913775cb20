import { type Dockerd, startDockerd } from "../engines/dockerd.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import type { Containerd } from "./containerd.ts";

/** A Docker daemon whose images and containers are in a containerd. */
export interface DockerOnContainerd {
  readonly namespace: Namespace;
  readonly dockerd: Dockerd;
  readonly snapshotter: string;
  docker(...args: string[]): Promise<string>;
  /** Names of the snapshots that it has. */
  snapshots(): Promise<readonly string[]>;
}

/**
 * Several can be in one containerd, each in a namespace of its own there, which is called as its snapshotter unless
 * told otherwise.
 */
export async function startDockerOnContainerd(
  namespace: Namespace,
  containerd: Containerd,
  snapshotter: string,
  space = `docker-${snapshotter}`,
): Promise<DockerOnContainerd> {
  const { socket } = containerd;
  const dataRoot = `${namespace.folder}/${space}`;
  const options = { name: space, storageDriver: snapshotter, dataRoot, containerd: { socket, space } };
  const dockerd = await startDockerd(namespace, options);
  return {
    namespace,
    dockerd,
    snapshotter,
    docker: (...args) => dockerd.docker(...args),
    async snapshots() {
      const listed = await containerd.ctr(space, "snapshots", `--snapshotter=${snapshotter}`, "ls");
      return listed
        .split("\n")
        .slice(1)
        .map((line) => line.split(/\s+/)[0] ?? "")
        .filter(Boolean);
    },
  };
}
