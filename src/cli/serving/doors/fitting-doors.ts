import { CleatError } from "../../../errors/index.ts";
import { defaultAddress, findContainerd } from "../../containerd/config/find-containerd.ts";
import { findDocker } from "../../containerd/docker/find-docker.ts";
import type { CommandContext } from "../../terminal/command.ts";

/** Which doors the engines of this machine would come through. */
export interface FittingDoors {
  /** Why a graph driver is of no use here; `undefined` where it is. */
  readonly notGraph: string | undefined;
  /** Why a snapshotter is of no use here; `undefined` where it is. */
  readonly notSnapshotter: string | undefined;
  /** Why volumes are of no use here; `undefined` where they are. */
  readonly notVolumes: string | undefined;
}

/** Docker 28 has lost the protocol of graph driver plugins. Source: moby v28.0.0 `daemon/graphdriver/driver.go`. */
const firstDockerWithout = 28;

/** Looks for Docker and containerd, and asks them for their version. Costs a tenth of a second. */
export async function findFittingDoors({ env, uid }: Pick<CommandContext, "env" | "uid">): Promise<FittingDoors> {
  const [docker, containerd] = await Promise.all([findDocker(env), findContainerdHere(env)]);
  const isLater = docker !== undefined && docker.version.major >= firstDockerWithout;
  return {
    notGraph: isLater ? `Docker ${docker.versionText} has no graph driver plugins` : undefined,
    notSnapshotter: uid === 0 ? containerd : "only root can mount what a snapshotter says",
    notVolumes: uid === 0 ? undefined : "only root can mount volumes",
  };
}

/** Why there is none of use; `undefined` where there is one. */
async function findContainerdHere(env: CommandContext["env"]): Promise<string | undefined> {
  try {
    return (await findContainerd(defaultAddress, env)) === undefined ? "there is no containerd here" : undefined;
  } catch (error) {
    if (error instanceof CleatError) return error.message;
    throw error;
  }
}
