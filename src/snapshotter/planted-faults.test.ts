import { join } from "node:path";
import { expect, it } from "vitest";
import { CleatError } from "../errors/index.ts";
import { runSnapshotterKit } from "../testing/index.ts";
import { createMemoryStorage, createPlaces, type Places } from "./memory-storage.test.support.ts";
import { openSnapshotter } from "./store/open-snapshotter.ts";
import type { Snapshotter } from "./snapshotter.ts";

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
