/**
 * What the kit for snapshotters must find in files, stacks, usage and layers that get their parent later: overlay2 with
 * one fault each, and at night that no check fails but those which must. Faults of records and names are found without
 * a disk, in `src/snapshotter/conformance/planted-faults.test.ts`.
 */
import { join } from "node:path";

import { expect, test } from "vitest";

import { overlay2 } from "cleat/drivers";
import { openGraphDriverSnapshotter, type Snapshotter } from "cleat/snapshotter";
import { runSnapshotterKit, snapshotterChecks } from "cleat/testing";

import { createScratch } from "../../harness/namespaces/scratch.ts";
import { describeWith, needs } from "../../needs.ts";
import { atNight } from "../../night.ts";
import { faultsOfDriver, faultsOfSnapshotter } from "./faults.ts";

/** What is not written through to the disk is found out as well, and sooner. */
const openOver = (driver: typeof overlay2, root: string) =>
  openGraphDriverSnapshotter({ driver, root: join(root, "snapshots"), durability: "none" });

const ofSnapshotter = faultsOfSnapshotter.map(([title, plant, found]) => {
  const open = async (root: string): Promise<Snapshotter> => {
    const right = await openOver(overlay2, root);
    return { ...right, ...plant(right) };
  };
  return [title, open, found] as const;
});

const ofDriver = faultsOfDriver.map(([title, plant, found]) => {
  const openDriver: typeof overlay2.open = async (options) => {
    const driver = await overlay2.open(options);
    return { ...driver, ...plant(driver) };
  };
  return [title, (root: string) => openOver({ ...overlay2, open: openDriver }, root), found] as const;
});

const faults = [...ofSnapshotter, ...ofDriver];
const abilities = { mounts: true, rebase: true };
const ids = snapshotterChecks.map(({ id }) => id).filter((id) => /^(files|stack|usage|rebase)\//.test(id));

/** A fault that fails otherwise than by what the kit sees or the snapshotter refuses is one of this file. */
const foundBy = (error: unknown) => (error instanceof Error ? error.name : String(error));

test("each of these checks finds a fault", () => {
  const found = new Set(faults.flatMap(([, , checks]) => checks));
  expect(ids.filter((id) => !found.has(id))).toEqual([]);
});

describeWith([needs.root, needs.overlay], "on overlay2", () => {
  test.each(faults)("the kit finds it when %s", async (_, open, found) => {
    await using scratch = await createScratch();
    const only = ids.filter((id) => found.includes(id) || (atNight && id !== "stack/128"));
    const results = await runSnapshotterKit({ open, folder: scratch.path, reuse: true, abilities, only });
    const failed = results.filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ id, error }) => `${id} ${foundBy(error)}`)).toEqual(
      found.map((id) => expect.stringMatching(`^${id} (AssertionError|CleatError)$`)),
    );
  });

  test("a snapshotter without a fault fails none of these", async () => {
    await using scratch = await createScratch();
    const open = (root: string) => openOver(overlay2, root);
    const results = await runSnapshotterKit({ open, folder: scratch.path, reuse: true, abilities, only: ids });
    expect(results.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(ids.map((id) => `${id} passed`));
  });
});
