import { dataFolder } from "../images/base-image.ts";
import { listTree, type Fidelity } from "../images/tree-listing.ts";
import type { Engine } from "./engine.ts";

/** A first process that has no handler ignores SIGTERM, and a daemon would wait ten seconds for it. */
export const idling = ["--detach", "--network", "none", "--stop-signal", "SIGKILL"];

type Docker = Pick<Engine, "docker" | "namespace">;

/** Runs a shell script in a new container and keeps the container, stopped. */
export async function runScript({ docker }: Docker, name: string, image: string, script: string): Promise<void> {
  await docker("run", "--network", "none", "--name", name, image, "sh", "-c", script);
}

/** Runs a shell script in a new container that afterwards goes on doing nothing; returns when the script is through. */
export async function keepRunning(engine: Docker, name: string, image: string, script: string): Promise<void> {
  const { docker } = engine;
  await docker("run", ...idling, "--name", name, image, "sleep", "3600");
  await docker("exec", name, "sh", "-c", script);
}

/** What `docker diff` prints, sorted: its order is not defined. */
export async function diffOf({ docker }: Docker, container: string): Promise<string[]> {
  return (await docker("diff", container)).split("\n").toSorted();
}

/** What a running container sees in its data folder. */
export async function contentOfRunning(
  { docker, namespace }: Docker,
  container: string,
  fidelity?: Fidelity,
): Promise<readonly string[]> {
  const pid = await docker("inspect", "--format", "{{.State.Pid}}", container);
  return listTree(namespace.run, `/proc/${pid}/root${dataFolder}`, fidelity);
}

/** What a new container of an image sees in its data folder. */
export async function contentOfImage(engine: Docker, image: string, fidelity?: Fidelity): Promise<readonly string[]> {
  const { docker } = engine;
  const id = await docker("run", ...idling, image, "sleep", "3600");
  try {
    return await contentOfRunning(engine, id, fidelity);
  } finally {
    await docker("rm", "--force", id);
  }
}

/** An image's identity: its id, and its layers' digests from the lowest up. */
export async function identityOf({ docker }: Docker, image: string) {
  const [id = "", layers = "[]"] = (
    await docker("inspect", "--format", "{{.Id}} {{json .RootFS.Layers}}", image)
  ).split(" ");
  return { id, layers: JSON.parse(layers) as string[] };
}
