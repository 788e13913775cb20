import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes long, the longest first. Begun last, one of these is what a whole run would wait for. */
const longest = [
  "package/packed",
  "kernel/graphdriver/hostile",
  "kernel/graphdriver/kit",
  "kernel/volumes/volumes",
  "kernel/graphdriver/store",
  "kernel/snapshotter/kit",
  "engine/graphdriver/containers",
  "kernel/graphdriver/decision",
  "engine/snapshotter/containerd",
  "engine/stores/exchange",
  "kernel/graphdriver/namespace",
  "engine/volumes/kinds",
  "interop/containerd-suite/containerd-suite",
  "kernel/graphdriver/lost-calls",
  "engine/volumes/docker",
  "engine/graphdriver/restarts",
  "engine/snapshotter/containerd-config",
  "interop/containerd/snapshots-command",
  "engine/graphdriver/killed-calls",
  "engine/stores/import-containerd",
  "engine/graphdriver/exact-diffs",
  "engine/volumes/cleat",
  "engine/snapshotter/docker",
  "engine/snapshotter/names",
  "kernel/graphdriver/properties",
];

/** Files that are known to take long, then the others in vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = longest.filter((name) => !existsSync(join(import.meta.dirname, "..", `${name}.test.ts`)));
    if (gone.length > 0) throw new Error(`files that are to be begun first are not there: ${gone.join(", ")}`);
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const at = longest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
  return at < 0 ? longest.length : at;
}
