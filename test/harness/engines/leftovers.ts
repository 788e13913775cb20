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

type LookedAt = Pick<Engine, "namespace" | "home" | "cleat">;

/**
 * Mounts below an engine's home, and folders or short links of layers in it. Docker's own drivers leave alone what
 * Cleat kept for itself there; Cleat sweeps it when it next opens the home.
 */
export async function leftovers(engine: LookedAt) {
  for (let tries = 1; ; tries++) {
    const left = await look(engine).catch(unlessGone);
    if (left !== undefined) return left;
    if (tries === 100) throw new Error("something is deleted at each look");
  }
}

async function look({ namespace, home, cleat }: LookedAt) {
  const found = await readdir(namespace.reach(home), { recursive: true, withFileTypes: true });
  const entries = found.filter(({ parentPath }) => cleat !== undefined || !parentPath.includes("/.cleat/"));
  return {
    mounts: (await namespace.mountsUnder(home)).filter((mountPoint) => mountPoint !== home),
    layers: entries.filter((entry) => layerId.test(entry.name) || entry.isSymbolicLink()).map(({ name }) => name),
  };
}

/** A folder that was being looked into has been deleted: Cleat deletes behind its answers. */
function unlessGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

/** The same once everything is removed and Cleat has had the time to delete it: nothing. */
export async function leftoversAtLast(engine: LookedAt) {
  for (let tries = 1; ; tries++) {
    const left = await leftovers(engine);
    if (tries >= 100 || left.mounts.length + left.layers.length === 0) return left;
    await delay(100);
  }
}
