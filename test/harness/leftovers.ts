import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "./engine.ts";

const layerId = /^[0-9a-f]{64}(-init)?$/;

/** Removes every container and image. */
export async function removeEverything({ docker }: Pick<Engine, "docker">): Promise<void> {
  const containers = (await docker("ps", "--all", "--quiet")).split("\n").filter(Boolean);
  if (containers.length > 0) await docker("rm", "--force", ...containers);
  await docker("image", "prune", "--all", "--force");
}

/**
 * Mounts below an engine's home, and folders or short links of layers in it. Docker's own drivers leave alone what
 * Cleat kept for itself there; Cleat sweeps it when it next opens the home.
 */
export async function leftovers({ namespace, home, cleat }: Pick<Engine, "namespace" | "home" | "cleat">) {
  const found = await readdir(namespace.reach(home), { recursive: true, withFileTypes: true });
  const entries = found.filter(({ parentPath }) => cleat !== undefined || !parentPath.includes("/.cleat/"));
  return {
    mounts: (await namespace.mountsUnder(home)).filter((mountPoint) => mountPoint !== home),
    layers: entries.filter((entry) => layerId.test(entry.name) || entry.isSymbolicLink()).map(({ name }) => name),
  };
}

/**
 * The same once everything is removed and Cleat, which deletes behind its answers, has had the time for it: nothing.
 */
export async function leftoversAtLast(engine: Pick<Engine, "namespace" | "home" | "cleat">) {
  for (let tries = 1; ; tries++) {
    const left = await leftovers(engine).catch(unlessGone);
    if (left !== undefined && (tries >= 100 || left.mounts.length + left.layers.length === 0)) return left;
    await delay(100);
  }
}

/** A folder that was being looked into has been deleted. */
function unlessGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
