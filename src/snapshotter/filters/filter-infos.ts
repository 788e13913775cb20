import type { SnapshotInfo } from "../snapshotter.ts";
import { parseFilters } from "./parse-filter.ts";

/**
 * Whether one of `filters` matches a snapshot. Its fields are `name`, `parent` (empty where there is none), `kind` and
 * `labels.KEY`, whose key may be spread over several fields: `labels.a.b` is "a.b".
 * @throws INVALID_ARGUMENT when a filter is malformed.
 */
export function filterInfos(filters: readonly string[]): (info: SnapshotInfo) => boolean {
  const matches = parseFilters(filters);
  return (info) => matches((path) => readField(info, path));
}

/** Source: containerd v1.6.20 `snapshots/storage/bolt.go`, adaptSnapshot. */
function readField(
  { name, parent, kind, labels }: SnapshotInfo,
  [field, ...rest]: readonly string[],
): string | undefined {
  switch (field) {
    case "name":
      return name;
    case "parent":
      return parent ?? "";
    case "kind":
      return kind;
    case "labels": {
      const key = rest.join(".");
      return Object.hasOwn(labels, key) ? labels[key] : undefined;
    }
    default:
      return undefined;
  }
}
