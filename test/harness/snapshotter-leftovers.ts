import { readdir } from "node:fs/promises";
import type { Namespace } from "./namespace.ts";
import type { SnapshotterProcess } from "./snapshotter.ts";
import { until } from "./until.ts";

const emptyDeadlineMs = 20_000;

/** A snapshot's number is its layer's name. */
const layer = /^\d+$/;

/**
 * Mounts below a snapshotter's root, and folders or short links of layers in it: nothing, once everything is removed. Files are
 * deleted behind, so that folders have some seconds to go.
 */
export async function snapshotterLeftovers(namespace: Namespace, { root }: Pick<SnapshotterProcess, "root">) {
  const layersNow = async () => {
    const entries = await readdir(namespace.reach(root), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => layer.test(entry.name) || entry.isSymbolicLink()).map(({ name }) => name);
  };
  await until("layers to go", emptyDeadlineMs, async () => ((await layersNow()).length === 0 ? true : undefined)).catch(
    () => undefined,
  );
  return {
    mounts: (await namespace.mountsUnder(root)).filter((mountPoint) => mountPoint !== root),
    layers: await layersNow(),
  };
}
