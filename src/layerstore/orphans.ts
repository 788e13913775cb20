import { childrenByParent, type DescribedLayer, layersBelow, type StoreDescription } from "./describe-store.ts";
import type { StoreFinding } from "../graphdriver/kit.ts";

const consentNeeded = "it may hold content; removing orphans takes consent";

/** Layers that nobody can use or asks for, but for those that `damage` tells of already as not even half there. */
export function findOrphans(description: StoreDescription, damage: readonly StoreFinding[]): StoreFinding[] {
  const told = new Set(damage.filter(({ kind }) => kind === "half-made-layer").map(({ layer }) => layer));
  const held = layersBelowMounts(description);
  const unread = description.layers.find(({ condition }) => condition === "unreadable")?.id;
  return description.layers
    .filter(({ id, orphaned }) => orphaned !== undefined && !told.has(id))
    .map((layer) => describeOrphan(layer, description, held, unread));
}

/** What is mounted, and all that it lies on. */
function layersBelowMounts({ layers }: StoreDescription): Set<string> {
  const mounted = layers.filter(({ mounts }) => mounts.length > 0).map(({ id }) => id);
  return layersBelow(layers, mounted);
}

function describeOrphan(
  { id, orphaned }: DescribedLayer,
  { engine }: StoreDescription,
  held: ReadonlySet<string>,
  unread: string | undefined,
): StoreFinding {
  const why =
    orphaned === "parent-missing"
      ? "lies on a layer that is not there"
      : `is not known to the engine of ${JSON.stringify(engine?.root)}`;
  const obstacle = held.has(id) ? "it is mounted, or a layer on it" : (mayLieOn(id, unread) ?? consentNeeded);
  return { kind: "orphaned", path: id, layer: id, problem: `layer "${id}" ${why}`, obstacle };
}

/** On what a layer lies that cannot be read now nobody can tell: it keeps all others. */
function mayLieOn(id: string, unread: string | undefined): string | undefined {
  if (unread === undefined) return undefined;
  return unread === id ? "it cannot be read now" : `layer "${unread}", which cannot be read now, may lie on it`;
}

/** Whether consent is all that is missing. */
export function isRemovable({ obstacle }: StoreFinding): boolean {
  return obstacle === consentNeeded;
}

/** The orphans of `findOrphans`, each after those that lie on it. */
export function findOrphansChildrenFirst(
  description: StoreDescription,
  damage: readonly StoreFinding[],
): StoreFinding[] {
  const children = childrenByParent(description.layers);
  const sorted: string[] = [];
  const pending = (children.get(undefined) ?? []).map(({ id }) => id);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    sorted.push(id);
    pending.push(...(children.get(id) ?? []).map((child) => child.id));
  }
  const rank = new Map(sorted.map((id, at) => [id, -at]));
  return findOrphans(description, damage).toSorted((a, b) => (rank.get(a.path) ?? 0) - (rank.get(b.path) ?? 0));
}
