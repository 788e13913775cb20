import type { Usage } from "../../../snapshotter/index.ts";
import { formatBytes } from "../../stores/format-bytes.ts";
import { printable } from "../../terminal/printable.ts";
import { formatTable } from "../../terminal/table.ts";
import type { SurveyedSnapshot } from "./survey.ts";

/** A snapshot with what it takes beyond its parents, where that was asked for. */
export interface SnapshotRow {
  readonly snapshot: SurveyedSnapshot;
  readonly usage: Usage | undefined;
}

export function formatSnapshots(rows: readonly SnapshotRow[], truncate: boolean): string[] {
  if (rows.length === 0) return ["no snapshots"];
  const heading = ["NAMESPACE", "NAME", "KIND", "STATE", "MOUNTED", "PARENT", "IMAGES"];
  const lines = rows.map(({ snapshot }) => {
    const { namespace, name, parent } = snapshot;
    const names = [name, parent ?? "-"].map((one) => showName(one, truncate)) as [string, string];
    return [
      printable(namespace),
      names[0],
      snapshot.kind ?? "-",
      snapshot.state,
      showMounts(snapshot, truncate),
      names[1],
      showImages(snapshot),
    ];
  });
  return formatTable([heading, ...lines]);
}

/** The largest first, and a sum of those that are counted. */
export function formatUsage(rows: readonly SnapshotRow[], truncate: boolean): string[] {
  const sizeOf = ({ usage }: SnapshotRow) => usage?.sizeBytes ?? -1;
  const lines = rows
    .toSorted((a, b) => sizeOf(b) - sizeOf(a))
    .map(({ snapshot, usage }) => [
      usage === undefined ? "-" : formatBytes(usage.sizeBytes),
      usage === undefined ? "-" : String(usage.inodes),
      printable(snapshot.namespace),
      showName(snapshot.name, truncate),
      snapshot.kind ?? "-",
      snapshot.state,
      showImages(snapshot),
    ]);
  const total = sumUsage(rows);
  return [
    ...formatTable([["SIZE", "INODES", "NAMESPACE", "NAME", "KIND", "STATE", "IMAGES"], ...lines]),
    `${formatBytes(total.sizeBytes)} in ${total.inodes} inodes`,
  ];
}

/** What two namespaces share counts once. */
export function sumUsage(rows: readonly SnapshotRow[]): Usage {
  const counted = new Set<string>();
  let [sizeBytes, inodes] = [0, 0];
  for (const { snapshot, usage } of rows) {
    const key = snapshot.name.startsWith("sha256:") ? snapshot.name : `${snapshot.namespace}/${snapshot.name}`;
    if (usage === undefined || counted.has(key)) continue;
    counted.add(key);
    sizeBytes += usage.sizeBytes;
    inodes += usage.inodes;
  }
  return { sizeBytes, inodes };
}

/** Each below the one it lies on, of each namespace by itself. */
export function formatTree(rows: readonly SnapshotRow[], truncate: boolean): string[] {
  if (rows.length === 0) return ["no snapshots"];
  const namespaces = [...new Set(rows.map(({ snapshot }) => snapshot.namespace))];
  return namespaces.flatMap((namespace) => {
    const own = rows.filter(({ snapshot }) => snapshot.namespace === namespace);
    return [printable(namespace), ...formatTable(treeLines(own, truncate), "  ")];
  });
}

function treeLines(rows: readonly SnapshotRow[], truncate: boolean): string[][] {
  const names = new Set(rows.map(({ snapshot }) => snapshot.name));
  const children = new Map<string | undefined, SurveyedSnapshot[]>();
  for (const { snapshot } of rows) {
    const parent = snapshot.parent !== undefined && names.has(snapshot.parent) ? snapshot.parent : undefined;
    children.set(parent, [...(children.get(parent) ?? []), snapshot]);
  }
  const lines: string[][] = [];
  const pending = (children.get(undefined) ?? [])
    .map((snapshot) => ({ snapshot, indent: "", branch: "● " }))
    .toReversed();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { snapshot, indent, branch } = next;
    const name = showName(snapshot.name, truncate);
    lines.push([
      `${branch}${name}`,
      snapshot.kind ?? "-",
      snapshot.state,
      showMounts(snapshot, truncate),
      showImages(snapshot),
    ]);
    const above = children.get(snapshot.name) ?? [];
    const isAlone = above.length === 1;
    const placed = above.map((child, at) => {
      if (isAlone) return { snapshot: child, indent, branch: `${indent}│ ` };
      const isLast = at === above.length - 1;
      return {
        snapshot: child,
        indent: `${indent}${isLast ? "  " : "│ "}`,
        branch: `${indent}${isLast ? "└─● " : "├─● "}`,
      };
    });
    pending.push(...placed.toReversed());
  }
  return lines;
}

/**
 * Version 1: a list of what `SurveyedSnapshot` has, `null` for what is not known, with `sizeBytes` and `inodes` where
 * counted.
 */
export function toJson(rows: readonly SnapshotRow[]): object {
  const snapshots = rows.map(({ snapshot, usage }) => ({
    namespace: snapshot.namespace,
    name: snapshot.name,
    state: snapshot.state,
    kind: snapshot.kind ?? null,
    parent: snapshot.parent ?? null,
    backendName: snapshot.backendName ?? null,
    images: snapshot.images,
    mountPoints: snapshot.mountPoints ?? null,
    ...(usage && { sizeBytes: usage.sizeBytes, inodes: usage.inodes }),
  }));
  return { version: 1, snapshots };
}

/** A digest is known by its first digits. */
function showName(name: string, truncate: boolean): string {
  return printable(truncate ? name.replaceAll(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, "sha256:$1") : name);
}

function showMounts({ mountPoints }: SurveyedSnapshot, truncate: boolean): string {
  if (mountPoints === undefined) return "?";
  if (mountPoints.length === 0) return "-";
  return truncate ? `${mountPoints.length}` : mountPoints.map((one) => printable(one)).join(" ");
}

function showImages({ images }: SurveyedSnapshot): string {
  return images.map((one) => printable(one)).join(" ");
}
