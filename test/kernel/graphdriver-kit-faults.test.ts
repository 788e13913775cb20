/**
 * A kit that never fails anything proves nothing: drivers with one fault each, and the checks that must find it. Works without
 * root, on the built package.
 */
import { Readable } from "node:stream";

import { expect, test } from "vitest";

import { type GraphDriver, type GraphDriverFactory, vfs } from "cleat/graphdriver";
import { runGraphDriverKit } from "cleat/testing";

import { createScratch } from "../engine/harness/scratch.ts";

type Fault = (driver: GraphDriver) => Partial<GraphDriver>;

const faults: readonly [title: string, fault: Fault, found: readonly string[]][] = [
  [
    "a second create is accepted",
    (driver) => ({ create: (id, options) => driver.create(id, options).catch(() => {}) }),
    ["life/create-twice", "life/missing-parent", "id/slash"],
  ],
  ["remove does nothing", () => ({ remove: async () => {} }), ["life/exists", "life/create-after-remove"]],
  ["exists is always true", () => ({ exists: async () => true }), ["life/exists", "unknown/get"]],
  [
    "a failed applyDiff is not reported",
    (driver) => ({ applyDiff: (...args) => driver.applyDiff(...args).catch(() => 0) }),
    ["broken/garbage", "broken/second-apply", "unknown/applyDiff", "whiteout/no-name"],
  ],
  [
    "applyDiff applies nothing",
    () => ({ applyDiff: async () => 0 }),
    ["life/create-base", "apply/files", "whiteout/file", "size/of-image", "commit/new-files"],
  ],
  [
    "one change is not listed",
    (driver) => ({ changes: async (...args) => (await driver.changes(...args)).slice(1) }),
    ["changes/new-files", "changes/deleted", "changes/of-image", "generations/commits"],
  ],
  [
    "what is modified is listed as added",
    (driver) => ({
      changes: async (...args) => (await driver.changes(...args)).map(({ path }) => ({ path, kind: "added" as const })),
    }),
    ["changes/overwritten", "changes/mode"],
  ],
  [
    "a diff ends too early",
    (driver) => ({
      async diff(...args) {
        const chunks = await (await driver.diff(...args)).toArray();
        return Readable.from([Buffer.concat(chunks as Buffer[]).subarray(0, -1024)]);
      },
    }),
    ["diff/docker-rules", "diff/empty"],
  ],
  [
    "a diff is always empty",
    () => ({ diff: async () => Readable.from([Buffer.alloc(1024)]) }),
    ["diff/entries", "commit/mode"],
  ],
  [
    "the parent of a diff is ignored",
    (driver) => ({ diff: (id) => driver.diff(id) }),
    ["diff/entries", "commit/deleted"],
  ],
  [
    "sizes are wrong by one",
    (driver) => ({ diffSize: async (...args) => (await driver.diffSize(...args)) + 1 }),
    ["size/of-image"],
  ],
  [
    "all layers are one",
    (driver) => {
      let first: Promise<string> | undefined;
      return { get: (id, options) => (first ??= driver.get(id, options)) };
    },
    ["mount/own-path", "life/container-is-apart"],
  ],
  [
    "sizes are taken and forgotten",
    (driver) => ({
      capabilities: { ...driver.capabilities, enforcesSize: true },
      createReadWrite: (id, { parent }) => driver.createReadWrite(id, { parent }),
    }),
    ["quota/enforced", "quota/restart", "quota/refused"],
  ],
  [
    "an archive is read to its end before anything is asked of it",
    (driver) => ({
      async applyDiff(id, parent, source) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of source) chunks.push(chunk);
        await driver.remove(id);
        await driver.create(id, { parent });
        return driver.applyDiff(id, parent, Readable.from(chunks));
      },
    }),
    ["broken/second-apply", "unknown/applyDiff"],
  ],
];

test.each(faults)("the kit finds it when %s", async (_, fault, found) => {
  await using scratch = await createScratch();
  const open: GraphDriverFactory["open"] = async (options) => {
    const driver = await vfs.open(options);
    return { ...driver, ...fault(driver) };
  };
  const results = await runGraphDriverKit({ open, folder: scratch.path, only: found });
  const outcomes = results.map(({ id, outcome }) => `${id} ${outcome}`);
  expect(outcomes.toSorted()).toEqual(found.map((id) => `${id} failed`).toSorted());
});

test("a driver without a fault fails none of these", async () => {
  await using scratch = await createScratch();
  const only = [...new Set(faults.flatMap(([, , found]) => found))];
  const results = await runGraphDriverKit({ open: vfs.open, folder: scratch.path, only, reuse: true });
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});
