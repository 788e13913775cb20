import { readdir } from "node:fs/promises";
import { createGrpcChannel } from "../../../src/grpc/index.ts";
import { createRemoteSnapshotter } from "../../../src/snapshotter/index.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { until } from "../processes/until.ts";
import type { SnapshotterProcess } from "./snapshotter.ts";

/** A snapshot's number is its layer's name; a short link is named by chance. */
const layer = /^\d+$/;

type Snapshotter = Pick<SnapshotterProcess, "root" | "socket">;

/** Mounts below a snapshotter's root, and folders or short links of layers in it. */
export async function snapshotterLayers(namespace: Namespace, { root }: Snapshotter) {
  const top = await readdir(namespace.reach(root), { withFileTypes: true });
  const links = await readdir(namespace.reach(`${root}/l`)).catch(() => []);
  return {
    mounts: (await namespace.mountsUnder(root)).filter((mountPoint) => mountPoint !== root),
    layers: [...top.map(({ name }) => name).filter((name) => layer.test(name)), ...links].toSorted(),
  };
}

/** What `snapshotterLeftovers` is to say. */
export const nothingLeft = { mounts: [], layers: [], records: [] };

/**
 * What is left of them, and of the snapshotter's own records, when everything is removed: nothing. Files are deleted
 * behind, so that folders have some seconds to go.
 */
export async function snapshotterLeftovers(namespace: Namespace, snapshotter: Snapshotter) {
  const isEmpty = async () => (await snapshotterLayers(namespace, snapshotter)).layers.length === 0 || undefined;
  await until("layers to go", isEmpty).catch(() => undefined);
  return { ...(await snapshotterLayers(namespace, snapshotter)), records: await namesOf(namespace, snapshotter) };
}

/** As the snapshotter itself has them: containerd's namespace and a number stand before what a client gave. */
async function namesOf(namespace: Namespace, { socket }: Snapshotter): Promise<string[]> {
  await using channel = createGrpcChannel({ unix: namespace.reach(socket) });
  const names: string[] = [];
  for await (const { name } of createRemoteSnapshotter({ channel }).list()) names.push(name);
  return names;
}
