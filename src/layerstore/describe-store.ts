import type { EngineRecords } from "./engine-records.ts";
import type { StoreSurvey, SurveyedLayer } from "../graphdriver/kit.ts";

/** A survey, with what the engine adds to it. */
export interface StoreDescription extends Omit<StoreSurvey, "layers"> {
  readonly engine: Pick<EngineRecords, "engine" | "root"> | undefined;
  readonly layers: readonly DescribedLayer[];
}

/**
 * `parent-missing`: something that it lies on is gone, and it cannot be mounted. `unknown-to-engine`: nobody will ask
 * for it again, nor remove it.
 */
export type OrphanReason = "parent-missing" | "unknown-to-engine";

export interface DescribedLayer extends SurveyedLayer {
  /** What the engine calls it, best first; empty where no engine was found. */
  readonly names: readonly string[];
  readonly orphaned: OrphanReason | undefined;
}

/**
 * What the store does not say the engine may: roles and with them conditions, parents of copies, names, and who is
 * forgotten.
 */
export function describeStore(survey: StoreSurvey, engine: EngineRecords | undefined): StoreDescription {
  const completed = survey.layers.map((layer) => completeLayer(layer, engine));
  const wanted = engine === undefined ? undefined : layersBelow(completed, [...engine.layers.keys()]);
  // A copy is whole without what it was copied from: it can be mounted, and may be all that is left of a container.
  const parentless = survey.layersHold === "trees" ? [] : completed.filter(({ parentage }) => parentage === "missing");
  const cut = layersAbove(
    completed,
    parentless.map(({ id }) => id),
  );
  const layers = completed.map((layer) => ({
    ...layer,
    names: engine?.layers.get(layer.id)?.names ?? [],
    orphaned: orphanReason(layer.id, cut, wanted),
  }));
  return { ...survey, engine: engine && { engine: engine.engine, root: engine.root }, layers };
}

function completeLayer(layer: SurveyedLayer, engine: EngineRecords | undefined): SurveyedLayer {
  const told = engine?.layers.get(layer.id);
  const role = told === undefined || told.role === "unknown" ? layer.role : told.role;
  // Containers write to these two; no diff is applied to them.
  const isWritten = role === "init" || role === "container";
  const condition = layer.condition === "unfilled" && isWritten ? "whole" : layer.condition;
  if (told === undefined || layer.parentage !== "unknown") return { ...layer, role, condition };
  return { ...layer, role, condition, parent: told.parent, parentage: told.parent === undefined ? "none" : "known" };
}

/** The layers named, and all that they lie on. */
export function layersBelow(layers: readonly SurveyedLayer[], ids: readonly string[]): Set<string> {
  const parents = new Map(layers.map(({ id, parent }) => [id, parent]));
  const below = new Set<string>();
  for (let id of ids as (string | undefined)[]) {
    for (; id !== undefined && !below.has(id); id = parents.get(id)) below.add(id);
  }
  return below;
}

/** The layers named, and all that lies on them. */
function layersAbove(layers: readonly SurveyedLayer[], ids: readonly string[]): Set<string> {
  const above = new Set<string>();
  const pending = [...ids];
  const children = childrenByParent(layers);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (above.has(id)) continue;
    above.add(id);
    pending.push(...(children.get(id) ?? []).map((child) => child.id));
  }
  return above;
}

/** Layers by what they lie on; those without a parent, or with one that is not known, by `undefined`. */
export function childrenByParent<Layer extends SurveyedLayer>(
  layers: readonly Layer[],
): Map<string | undefined, Layer[]> {
  const children = new Map<string | undefined, Layer[]>();
  const ids = new Set(layers.map(({ id }) => id));
  for (const layer of layers) {
    const parent = layer.parent !== undefined && ids.has(layer.parent) ? layer.parent : undefined;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [layer]);
    else siblings.push(layer);
  }
  return children;
}

function orphanReason(
  id: string,
  cut: ReadonlySet<string>,
  wanted: ReadonlySet<string> | undefined,
): OrphanReason | undefined {
  if (cut.has(id)) return "parent-missing";
  return wanted === undefined || wanted.has(id) ? undefined : "unknown-to-engine";
}
