import type { DescribedLayer, StoreDescription } from "../../layerstore/index.ts";
import { formatBytes } from "./format-bytes.ts";
import { drawTree, shortId } from "./layer-tree.ts";
import { type StoreReport, sumUsage } from "./layers-report.ts";
import { printable } from "../terminal/printable.ts";
import { formatTable } from "../terminal/table.ts";

/** A store as lines: what it is, its tree, what it takes. */
export function formatStore({ store, usage }: StoreReport, truncate: boolean): string[] {
  const rows = drawTree(store.layers).map(({ layer, branch }) => {
    const counted = usage?.get(layer.id);
    const sizes = counted && [formatBytes(counted.apparentBytes), formatBytes(counted.allocatedBytes)];
    const used = usage === undefined ? [] : (sizes ?? ["-", "-"]);
    const id = printable(truncate ? shortId(layer.id) : layer.id);
    return [
      `${branch}${id}`,
      layer.role,
      describeState(layer),
      describeMounts(layer, truncate),
      ...used,
      showNames(layer),
    ];
  });
  const heading = ["LAYER", "ROLE", "STATE", "MOUNTED", ...(usage === undefined ? [] : ["SIZE", "ON DISK"]), "NAMES"];
  return [
    describeTitle(store),
    ...(rows.length === 0 ? [] : formatTable([heading, ...rows])),
    ...describeTroubles(store.layers),
    ...(usage === undefined ? [] : [describeTotal({ store, usage })]),
  ];
}

function describeTroubles(layers: readonly DescribedLayer[]): string[] {
  const told = layers.flatMap(({ id, condition, problem }) =>
    problem === undefined ? [] : [`${condition} ${printable(id)}: ${printable(problem, 400)}`],
  );
  return told.length === 0 ? [] : [...told, "cleat fsck says more of these, and what to do"];
}

export function describeTitle({ driver, home, engine, layers }: StoreDescription): string {
  const count = (what: string, is: (layer: DescribedLayer) => boolean): string[] => {
    const counted = layers.filter(is).length;
    return counted === 0 ? [] : [`${counted} ${what}`];
  };
  const counts = [
    plural(layers.length, "layer", "layers"),
    ...count("mounted", ({ mounts }) => mounts.length > 0),
    ...count("orphaned", ({ orphaned }) => orphaned !== undefined),
    ...count("half-made", ({ condition }) => condition === "half-made"),
    ...count("unreadable", ({ condition }) => condition === "unreadable"),
    ...count("contradicting others", ({ condition }) => condition === "misfit"),
  ];
  const owner = engine === undefined ? "" : `, of ${engine.engine} in ${printable(engine.root)}`;
  return `${driver} at ${printable(home)}${owner}: ${counts.join(", ")}`;
}

const orphanStates = { "parent-missing": "orphaned: no parent", "unknown-to-engine": "orphaned: engine" } as const;

export function describeState({ condition, orphaned, committed }: DescribedLayer): string {
  if (condition !== "whole") return condition;
  if (orphaned !== undefined) return orphanStates[orphaned];
  return committed ? "read-only" : "-";
}

function describeMounts({ mounts, holds }: DescribedLayer, truncate: boolean): string {
  const [mount] = mounts;
  if (mount === undefined) return "-";
  const where = truncate ? "" : ` at ${printable(mount.mountPoint, 400)}`;
  return mount.elsewhere ? `elsewhere${where}` : `held ${holds}×${where}`;
}

function showNames({ names }: DescribedLayer): string {
  return printable(names.join(", "), 120);
}

function plural(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}

function describeTotal({ store, usage = new Map() }: StoreReport): string {
  const { apparentBytes, allocatedBytes, entries, complete } = sumUsage(usage.values());
  const shared = store.layersHold === "trees" ? "; what layers share counts for each" : "";
  const passed = complete ? "" : "; without some folders, which were moved meanwhile or may not be read";
  const sizes = `${formatBytes(apparentBytes)}, ${formatBytes(allocatedBytes)} on disk`;
  return `total ${sizes}, ${plural(entries, "entry", "entries")}${shared}${passed}`;
}
