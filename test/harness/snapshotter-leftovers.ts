import { readdir } from "node:fs/promises";
import type { Namespace } from "./namespace.ts";
import type { SnapshotterProcess } from "./snapshotter.ts";
import { until } from "./until.ts";

const emptyDeadlineMs = 20_000;

/** A snapshot's number is its layer's name; a short link is named by chance. */
const layer = /^\d+$/;

/** Mounts below a snapshotter's root, and folders or short links of layers in it. */
export async function snapshotterLayers(namespace: Namespace, { root }: Pick<SnapshotterProcess, "root">) {
  const top = await readdir(namespace.reach(root), { withFileTypes: true });
  const links = await readdir(namespace.reach(`${root}/l`)).catch(() => []);
  return {
    mounts: (await namespace.mountsUnder(root)).filter((mountPoint) => mountPoint !== root),
    layers: [...top.map(({ name }) => name).filter((name) => layer.test(name)), ...links].toSorted(),
  };
}

/** What is left of them when everything is removed: nothing. Files are deleted behind, so that folders have some seconds to go. */
export async function snapshotterLeftovers(namespace: Namespace, snapshotter: Pick<SnapshotterProcess, "root">) {
  const isEmpty = async () => (await snapshotterLayers(namespace, snapshotter)).layers.length === 0 || undefined;
  await until("layers to go", emptyDeadlineMs, isEmpty).catch(() => undefined);
  return snapshotterLayers(namespace, snapshotter);
}
