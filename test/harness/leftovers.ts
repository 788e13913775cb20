import { readdir } from "node:fs/promises";
import type { Engine } from "./engine.ts";

const layerId = /^[0-9a-f]{64}(-init)?$/;

/** Removes every container and image. */
export async function removeEverything({ docker }: Pick<Engine, "docker">): Promise<void> {
  const containers = (await docker("ps", "--all", "--quiet")).split("\n").filter(Boolean);
  if (containers.length > 0) await docker("rm", "--force", ...containers);
  await docker("image", "prune", "--all", "--force");
}

/**
 * Mounts below an engine's home, and folders or short links of layers in it: nothing, once everything is removed.
 * Docker's own drivers leave alone what Cleat kept for itself there; Cleat sweeps it when it next opens the home.
 */
export async function leftovers({ namespace, home, cleat }: Pick<Engine, "namespace" | "home" | "cleat">) {
  const found = await readdir(namespace.reach(home), { recursive: true, withFileTypes: true });
  const entries = found.filter(({ parentPath }) => cleat !== undefined || !parentPath.includes("/.cleat/"));
  return {
    mounts: (await namespace.mountsUnder(home)).filter((mountPoint) => mountPoint !== home),
    layers: entries.filter((entry) => layerId.test(entry.name) || entry.isSymbolicLink()).map(({ name }) => name),
  };
}
