import { readdir } from "node:fs/promises";
import type { Engine } from "./engine.ts";

const layerId = /^[0-9a-f]{64}(-init)?$/;

/** Removes every container and image. */
export async function removeEverything({ docker }: Pick<Engine, "docker">): Promise<void> {
  const containers = (await docker("ps", "--all", "--quiet")).split("\n").filter(Boolean);
  if (containers.length > 0) await docker("rm", "--force", ...containers);
  await docker("image", "prune", "--all", "--force");
}

/** Mounts below an engine's home, and folders or short links of layers in it: nothing, once everything is removed. */
export async function leftovers({ namespace, home }: Pick<Engine, "namespace" | "home">) {
  const entries = await readdir(namespace.reach(home), { recursive: true, withFileTypes: true });
  return {
    mounts: (await namespace.mountsUnder(home)).filter((mountPoint) => mountPoint !== home),
    layers: entries.filter((entry) => layerId.test(entry.name) || entry.isSymbolicLink()).map(({ name }) => name),
  };
}
