import { join } from "node:path";
import { expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { runSnapshotterKit } from "../../testing/index.ts";
import { createMemoryStorage, createPlaces, type Places } from "./memory-storage.test.support.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import type { PrepareOptions, SnapshotInfo, Snapshotter } from "../snapshotter.ts";

const ref = "containerd.io/snapshot.ref";

/** Takes any committed snapshot for the one that is asked for which `isIt` says so of. */
function adopting(
  right: Snapshotter,
  isIt: (info: SnapshotInfo, wanted: PrepareOptions) => boolean,
): Pick<Snapshotter, "prepare"> {
  return {
    async prepare(key, options) {
      for await (const info of right.list(["kind==committed"])) {
        if (options.labels?.[ref] !== undefined && isIt(info, options)) {
          throw new CleatError("ALREADY_EXISTS", `layer of ${key}: already exists`);
        }
      }
      return right.prepare(key, options);
    },
  };
}

/** What a snapshotter could get wrong, and the check that must notice. */
const faults: readonly [fault: string, check: string, plant: (right: Snapshotter) => Partial<Snapshotter>][] = [
  [
    "labels are inherited by a commit",
    "commit/moves",
    (right) => ({
      async commit(name, key, options) {
        const { labels } = await right.stat(key);
        await right.commit(name, key, { ...options, labels: { ...labels, ...options.labels } });
      },
    }),
  ],
  [
    "a missing parent is UNKNOWN",
    "life/prepare-parent",
    (right) => ({
      prepare: (key, options) =>
        right.prepare(key, options).catch((error: CleatError) => {
          throw new CleatError(error.code === "NOT_FOUND" ? "UNKNOWN" : error.code, error.message);
        }),
    }),
  ],
  [
    "a view is writable",
    "life/view-mounts",
    (right) => ({
      view: async (key, options) => (await right.view(key, options)).map((mount) => ({ ...mount, options: ["rw"] })),
    }),
  ],
  [
    "an active snapshot is read-only",
    "life/prepare-mounts",
    (right) => ({
      prepare: async (key, options) =>
        (await right.prepare(key, options)).map((mount) => ({ ...mount, options: ["ro"] })),
    }),
  ],
  ["no mounts are told", "life/prepare-mounts", () => ({ mounts: async () => [] })],
  [
    "times are cut to milliseconds",
    "info/times",
    (right) => ({
      async stat(key) {
        const info = await right.stat(key);
        const cut = (ns: bigint) => ns - (ns % 1_000_000n);
        return { ...info, createdNs: cut(info.createdNs), updatedNs: cut(info.updatedNs) };
      },
    }),
  ],
  [
    "the path of a label is split at its last dot",
    "label/one",
    (right) => ({
      update: (key, { labels, paths }) =>
        right.update(key, { labels, paths: paths?.map((path) => `labels.${path.slice(path.lastIndexOf(".") + 1)}`) }),
    }),
  ],
  [
    "a filter that is malformed matches nothing",
    "list/malformed",
    (right) => ({
      async *list(filters) {
        try {
          yield* right.list(filters);
        } catch {
          // the fault
        }
      },
    }),
  ],
  [
    "a list tells the first hundred",
    "list/held-open",
    (right) => ({
      async *list(filters) {
        let count = 0;
        for await (const info of right.list(filters)) if (count++ < 100) yield info;
      },
    }),
  ],
  [
    "a list takes a lock that stat waits for",
    "list/held-open",
    (right) => {
      let open = 0;
      return {
        async *list(filters) {
          open++;
          try {
            yield* right.list(filters);
          } finally {
            open--;
          }
        },
        async stat(key) {
          if (open > 0) throw new CleatError("DEADLINE_EXCEEDED", `snapshot "${key}" is locked`);
          return right.stat(key);
        },
      };
    },
  ],
  [
    "keys are shortened",
    "name/any-text",
    (right) => ({ prepare: (key, options) => right.prepare(key.slice(0, 255), options) }),
  ],
  [
    "two may have one key",
    "together/same-key",
    (right) => ({ view: (key, options) => right.view(key, options).catch(() => []) }),
  ],
  ["what is removed stays", "life/reuse", () => ({ remove: async () => {} })],
  [
    "a layer that is there is unpacked again",
    "adopt/unpacked",
    (right) => ({ prepare: (key, { parent }) => right.prepare(key, { parent }) }),
  ],
  [
    "a layer is found by its name, whatever its parent",
    "adopt/other-parent",
    (right) => adopting(right, ({ labels }, wanted) => labels[ref] === wanted.labels?.[ref]),
  ],
  [
    "whoever names a layer is given it, also for a container",
    "adopt/containers",
    (right) =>
      adopting(right, ({ labels, parent }, wanted) => labels[ref] === wanted.labels?.[ref] && parent === wanted.parent),
  ],
  ["a view counts as its parent", "usage/views", () => ({ usage: async () => ({ sizeBytes: 4096, inodes: 1 }) })],
];

it.each(faults)("the kit notices when %s: %s", async (_, check, plant) => {
  const disks = new Map<string, Places>();
  const open = async (root: string): Promise<Snapshotter> => {
    const places = disks.get(root) ?? createPlaces();
    disks.set(root, places);
    const right = await openSnapshotter({ root: join(root, "records"), storage: createMemoryStorage(places) });
    return { ...right, ...plant(right) };
  };
  const [result] = await runSnapshotterKit({ open, abilities: { rebase: true }, only: [check] });
  expect(result?.outcome).toBe("failed");
});
