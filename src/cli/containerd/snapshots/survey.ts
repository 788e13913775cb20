import { randomBytes } from "node:crypto";
import { CleatError } from "../../../errors/index.ts";
import type { SnapshotInfo, SnapshotKind, Snapshotter } from "../../../snapshotter/index.ts";
import type { NamespaceConnection, SnapshotterConnection } from "./connection.ts";
import { type ImageChains, readImageChains } from "./image-chains.ts";
import { findMountPoints } from "./mount-finder.ts";

/**
 * - `ok`: containerd and the snapshotter both have it.
 * - `broken`: containerd has the name, and the snapshotter has no snapshot behind it: nothing can be made on it, and
 *   what is pulled anew fails since it "already exists".
 * - `orphaned`: no namespace has a name for it. containerd's collector takes it away.
 */
export type SnapshotState = "ok" | "broken" | "orphaned";

/** A snapshot as a client knows it, or, where none does, as the snapshotter does. */
export interface SurveyedSnapshot {
  readonly namespace: string;
  readonly name: string;
  readonly state: SnapshotState;
  /** Of a broken one neither is known. */
  readonly kind: SnapshotKind | undefined;
  readonly parent: string | undefined;
  /** What the snapshotter calls it; of one that was adopted from another namespace that is not told. */
  readonly backendName: string | undefined;
  readonly images: readonly string[];
  /** `undefined` where that cannot be told now, or was not asked. */
  readonly mountPoints: readonly string[] | undefined;
}

/**
 * Sorted by namespace and name. Nothing is changed. To find `mounts`, too, costs a call for each that is not committed.
 */
export async function surveySnapshots(
  connection: SnapshotterConnection,
  { mounts }: { readonly mounts: boolean },
): Promise<SurveyedSnapshot[]> {
  const { backend, namespaces, snapshotter } = connection;
  const held = await toArray(backend.list());
  const backendByClient = findLatest(held);
  const rows: Omit<SurveyedSnapshot, "mountPoints">[] = [];
  const used = new Set<string>();
  const adopted = new Set<string>();
  for (const one of namespaces) {
    const { namespace } = one;
    const infos = await toArray(one.snapshots.list());
    const chains = await readImageChains(one.containerd);
    for (const { name, kind, parent } of infos) {
      const backendName = backendByClient.get(`${namespace}/${name}`);
      if (backendName === undefined) adopted.add(name);
      else used.add(backendName);
      const images = chains.get(name) ?? [];
      rows.push({ namespace, name, state: "ok", kind, parent, backendName, images });
    }
    const listed = new Set(infos.map(({ name }) => name));
    const candidates = await namesThatMayBeBroken(one, chains, held, snapshotter);
    for (const name of candidates) {
      if (listed.has(name) || !(await isNameTaken(one.snapshots, name))) continue;
      used.add(backendByClient.get(`${namespace}/${name}`) ?? "");
      rows.push({ namespace, name, state: "broken", ...nothingKnown, images: chains.get(name) ?? [] });
    }
  }
  for (const { name: backendName, kind, parent } of held) {
    const { namespace, name } = splitBackendName(backendName);
    if (used.has(backendName) || adopted.has(name)) continue;
    const parentName = parent === undefined ? undefined : splitBackendName(parent).name;
    rows.push({ namespace, name, state: "orphaned", kind, parent: parentName, backendName, images: [] });
  }
  const sorted = rows.toSorted((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
  if (!mounts) return sorted.map((row) => ({ ...row, mountPoints: undefined }));
  const points = await findMountPoints(backend, sorted);
  return sorted.map((row, at) => ({ ...row, mountPoints: points[at] }));
}

const nothingKnown = { kind: undefined, parent: undefined, backendName: undefined };

/**
 * A list of containerd's leaves out names behind which there is nothing, so they are looked for where something refers
 * to them: in images, containers, leases, and in what the snapshotter once knew. Source: containerd v1.6.20
 * `metadata/snapshot.go` Walk.
 */
async function namesThatMayBeBroken(
  { namespace, containerd: { services } }: NamespaceConnection,
  chains: ImageChains,
  held: readonly SnapshotInfo[],
  snapshotter: string,
): Promise<Set<string>> {
  const names = new Set(chains.keys());
  for (const info of held) {
    const split = splitBackendName(info.name);
    if (split.namespace === namespace) names.add(split.name);
  }
  for (const container of (await services.containers.list({})).containers) {
    if (container.snapshotter === snapshotter) names.add(container.snapshot_key);
  }
  for (const { id } of (await services.leases.list({})).leases) {
    const { resources } = await services.leases.listResources({ id }).catch(nothingIfGone);
    for (const resource of resources) if (resource.type === `snapshots/${snapshotter}`) names.add(resource.id);
  }
  names.delete("");
  return names;
}

/** A lease that expired since it was listed. */
function nothingIfGone(error: unknown): { resources: { id: string; type: string }[] } {
  if (error instanceof CleatError && error.code === "NOT_FOUND") return { resources: [] };
  throw error;
}

/**
 * Whether containerd has a name, whatever is behind it. It looks at the name before it looks at the parent, of which
 * there is none, and asks no snapshotter. Source: containerd v1.6.20 and v2.1.9 `metadata/snapshot.go` createSnapshot.
 */
export async function isNameTaken(snapshots: Snapshotter, name: string): Promise<boolean> {
  const parent = `cleat-nobody-${randomBytes(12).toString("hex")}`;
  try {
    await snapshots.prepare(name, { parent });
  } catch (error) {
    const code = error instanceof CleatError ? error.code : undefined;
    if (code === "ALREADY_EXISTS") return true;
    if (code === "NOT_FOUND") return false;
    throw error;
  }
  throw new CleatError("INTERNAL", `snapshot ${JSON.stringify(name)} was made on a parent that is not there`);
}

/** Source of the form: containerd v1.6.20 `metadata/snapshot.go` createKey. */
const backendPattern = /^([^/]+)\/(\d+)\/(.*)$/s;

export function splitBackendName(backendName: string): {
  readonly namespace: string;
  readonly number: number;
  readonly name: string;
} {
  const [, namespace = "", number = "0", name = backendName] = backendPattern.exec(backendName) ?? [];
  return { namespace, number: Number(number), name };
}

/**
 * What the snapshotter calls each of a client's, "moby/c1": the latest, as a crash may leave an earlier one of that
 * name.
 */
function findLatest(held: readonly SnapshotInfo[]): ReadonlyMap<string, string> {
  const latest = new Map<string, { readonly backendName: string; readonly number: number }>();
  for (const { name: backendName } of held) {
    const { namespace, number, name } = splitBackendName(backendName);
    const known = latest.get(`${namespace}/${name}`);
    if (known === undefined || known.number < number) latest.set(`${namespace}/${name}`, { backendName, number });
  }
  return new Map(Array.from(latest, ([client, { backendName }]) => [client, backendName]));
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
