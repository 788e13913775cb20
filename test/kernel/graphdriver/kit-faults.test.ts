/**
 * A kit that never fails anything proves nothing: drivers with one fault each, and the checks that must find it. Works
 * without root, on the built package.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";

import { expect, test } from "vitest";

import type { DiffGetter, GraphDriver, GraphDriverFactory, ListedLayer, MountSpec } from "cleat/graphdriver";
import { overlay2, vfs } from "cleat/drivers";
import { lgetxattr, lsetxattr } from "#dist/syscall/index.js";
import { runGraphDriverKit } from "cleat/testing";

import { createScratch } from "../../harness/namespaces/scratch.ts";

/** Checks that mean nothing to an ordinary user. */
const asRoot = (...ids: string[]): string[] => (process.geteuid?.() === 0 ? ids : []);

type Fault = (driver: GraphDriver) => Partial<GraphDriver>;

/** Does something to each file of a container when that is made. */
function onContainers(spoil: (path: string) => void): Fault {
  return (driver) => ({
    async createReadWrite(id, options) {
      await driver.createReadWrite(id, options);
      const root = await driver.get(id, {});
      for (const name of fs.readdirSync(root, { recursive: true, encoding: "utf8" })) spoil(join(root, name));
      await driver.put(id);
    },
  });
}

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
    [
      "life/create-base",
      "apply/files",
      "whiteout/file",
      "size/of-image",
      "commit/new-files",
      "implied/hidden",
      "implied/deep",
      "attributes/left-out",
      "attributes/over-lower",
      ...asRoot("apply/owner-below-zero", "attributes/capability", "access/of-the-layer"),
    ],
  ],
  [
    "one change is not listed",
    (driver) => ({ changes: async (...args) => (await driver.changes(...args)).slice(1) }),
    [
      "changes/new-files",
      "changes/deleted",
      "changes/of-image",
      ...asRoot("changes/devices"),
      "generations/commits",
      "nested/cut-at-5",
      "implied/root",
    ],
  ],
  [
    "a container's root is as the folder that it was made in",
    (driver) => ({
      async createReadWrite(id, options) {
        await driver.createReadWrite(id, options);
        const root = await driver.get(id, {});
        const around = join(root, "..");
        fs.chmodSync(root, 0o755 | (fs.statSync(around).mode & 0o2000));
        const list = lgetxattr(around, "system.posix_acl_default");
        if (list !== undefined) lsetxattr(root, "system.posix_acl_default", list);
        await driver.put(id);
      },
    }),
    ["access/default-acl", ...asRoot("access/setgid")],
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
    [
      "diff/entries",
      "commit/mode",
      "commit/sparse",
      "commit/bytes",
      ...asRoot("commit/devices", "commit/capability-taken"),
    ],
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
      createReadWrite: (id, { parent } = {}) => driver.createReadWrite(id, { parent }),
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
  [
    "files of an image lose their mode in a container",
    onContainers((path) => fs.lstatSync(path).isFile() && fs.chmodSync(path, 0o600)),
    ["union/open-wronly", "union/names", "union/attributes", "union/stories"],
  ],
  [
    "symlinks of an image lead nowhere in a container",
    onContainers((path) => {
      if (!fs.lstatSync(path).isSymbolicLink()) return;
      fs.unlinkSync(path);
      fs.symlinkSync("elsewhere", path);
    }),
    ["union/open-rdonly", "union/rename", "union/link", "union/exchange"],
  ],
];

/** Of what a driver tells of mounts, which only root carries out, and of what layers take. */
const told: typeof faults = [
  [
    "a mount for reading can be written to",
    (driver) => ({ mounts: async (id) => mountsOf(driver, id, false) }),
    asRoot("spec/read-only"),
  ],
  [
    "a mount shows what lies below a layer only",
    (driver) => {
      const parents = new Map<string, string | undefined>();
      return {
        async createReadWrite(id, options = {}) {
          await driver.createReadWrite(id, options);
          parents.set(id, options.parent);
        },
        mounts: async (id, { readOnly = false } = {}) => mountsOf(driver, parents.get(id) ?? id, readOnly),
      };
    },
    asRoot("spec/same-tree", "spec/writes", "spec/read-only", "spec/deep"),
  ],
  [
    "a mount is named by another path each time",
    (driver) => ({
      mounts: async (id, { readOnly = false } = {}) =>
        (await mountsOf(driver, id, readOnly)).map((spec) => ({ ...spec, source: `${spec.source}${otherSpelling()}` })),
    }),
    asRoot("spec/one-spelling", "spec/after-reopen"),
  ],
  [
    "two mounts are told for one layer",
    (driver) => ({
      mounts: async (id, { readOnly = false } = {}) => {
        const specs = await mountsOf(driver, id, readOnly);
        return [...specs, ...specs];
      },
    }),
    asRoot("spec/same-tree", "spec/mounts-nothing", "spec/writes-without-parent"),
  ],
  [
    "mounts are told of any layer, there or not",
    ({ name }) => ({ mounts: async (id) => [{ type: "bind", source: `/${name}/${id}`, options: ["rw", "rbind"] }] }),
    asRoot("spec/unknown"),
  ],
  [
    "usage is of lengths, each name by itself",
    (driver) => ({
      usage: async (id) => {
        const root = await driver.get(id, {});
        const names = fs.readdirSync(root, { recursive: true, encoding: "utf8" });
        const sizes = names.map((name) => fs.lstatSync(join(root, name)).size);
        return { sizeBytes: sizes.reduce((sum, size) => sum + size, 0), inodes: names.length };
      },
    }),
    ["usage/written"],
  ],
  [
    "every layer takes nothing",
    () => ({ usage: async () => ({ sizeBytes: 0, inodes: 0 }) }),
    ["usage/written", "usage/changed", "usage/of-image", "usage/unknown", "usage/given-up"],
  ],
  [
    "usage is what it was when it was asked for first",
    (driver) => {
      const known = new Map<string, ReturnType<NonNullable<GraphDriver["usage"]>>>();
      return {
        async usage(id) {
          const usage = known.get(id) ?? driver.usage?.(id) ?? Promise.reject(new Error("vfs tells no usage"));
          known.set(id, usage);
          return usage;
        },
      };
    },
    ["usage/written", "usage/changed"],
  ],
  [
    "an empty layer takes a bit of what lies below",
    (driver) => ({
      async usage(id) {
        const { sizeBytes = 0, inodes = 0 } = (await driver.usage?.(id)) ?? {};
        return { sizeBytes: Math.floor(sizeBytes / 2), inodes };
      },
    }),
    ["usage/empty", "usage/of-image"],
  ],
  [
    "who removes a layer is told that it is gone before it is",
    (driver) => ({
      async remove(id, { onGone, ...options } = {}) {
        onGone?.();
        await driver.remove(id, options);
      },
    }),
    ["life/gone-before-deleted"],
  ],
  [
    "nobody is told that a layer is gone",
    (driver) => ({ remove: async (id) => driver.remove(id) }),
    ["life/gone-before-deleted"],
  ],
];

/** Of overlay2, which lays layers on others; with what a driver does that only says so. */
const layered: typeof faults = [
  [
    "a layer is laid on another in words only",
    () => ({ rebase: async () => {} }),
    asRoot("rebase/merged", "rebase/refused"),
  ],
  [
    "a layer is made anew where it is to lie",
    (driver) => ({
      async rebase(id, parent) {
        const archive = await (await driver.diff(id)).toArray();
        await driver.remove(id);
        await driver.create(id, { parent });
        await driver.applyDiff(id, parent, Readable.from(archive));
      },
    }),
    asRoot("rebase/after-reopen", "rebase/taken-back"),
  ],
  [
    "where a layer was laid is forgotten when the driver is closed",
    (driver) => {
      const laid = new Set<string>();
      return {
        async rebase(id, parent) {
          await driver.rebase?.(id, parent);
          laid.add(id);
        },
        async close() {
          for (const id of laid) await driver.rebase?.(id, undefined).catch(() => {});
          await driver.close();
        },
      };
    },
    asRoot("rebase/after-reopen"),
  ],
  [
    "a parent goes under the layer that was laid on it",
    (driver) => ({ remove: async (id, options) => driver.remove(id, { ...options, evenWithChildren: true }) }),
    asRoot("rebase/protects"),
  ],
];

/** Faults of drivers that say that they give back archives, or hand out files. */
const exactFaults: typeof faults = [
  [
    "archives are said to come back, and are made anew",
    (driver) => ({ diff: (id, parent) => anew(driver, id, parent) }),
    ["diff/exact", "diff/exact-padded", "diff/exact-garbage", "diff/exact-endless"],
  ],
  [
    "an archive is kept as a whole, and given back whatever became of the files",
    (driver) => keepingArchives(driver, ({ id, parent }) => `${id} on ${parent}`),
    ["diff/exact-changed", "diff/exact-new-layer"],
  ],
  [
    "an archive is given back against any parent",
    (driver) => keepingArchives(driver, ({ id }) => id),
    ["diff/exact-other-parent"],
  ],
  [
    "archives are forgotten when the driver is closed",
    (driver) => {
      const applied = new Set<string>();
      return {
        async applyDiff(id, ...rest) {
          applied.add(id);
          return driver.applyDiff(id, ...rest);
        },
        diff: (id, parent) => (applied.has(id) ? driver.diff(id, parent) : anew(driver, id, parent)),
      };
    },
    ["diff/exact", "diff/exact-padded"],
  ],
  [
    "an archive that cannot come back is taken",
    (driver) => ({
      applyDiff: (id, parent, source) =>
        driver.applyDiff(id, parent, source).catch((error: unknown) => {
          if (String(error).includes("duplicates")) return 0;
          throw error;
        }),
    }),
    ["diff/exact-twice"],
  ],
  [
    "a diff getter joins names to a path",
    (driver) => ({
      diffGetter: async (id) => {
        const root = await driver.get(id, {});
        return getterOf(async (name) => fs.createReadStream(Buffer.concat([Buffer.from(`${root}/`), name])));
      },
    }),
    ["getter/confined", "getter/closed"],
  ],
  [
    "a diff getter knows text only",
    (driver) => ({
      diffGetter: async (id) => {
        const getter = await openGetter(driver, id);
        return { ...getter, get: (name) => getter.get(Buffer.from(Buffer.from(name).toString())) };
      },
    }),
    ["getter/files"],
  ],
  [
    "a diff getter takes what it handed out along when it is closed",
    (driver) => ({
      diffGetter: async (id) => {
        const getter = await openGetter(driver, id);
        const handedOut: Readable[] = [];
        return {
          ...getter,
          async get(name) {
            const stream = await getter.get(name);
            handedOut.push(stream);
            return stream;
          },
          async close() {
            for (const stream of handedOut) stream.destroy();
            await getter.close();
          },
        };
      },
    }),
    ["getter/closed"],
  ],
  [
    "a diff getter of any layer is opened, there or not",
    () => ({ diffGetter: async () => getterOf(async () => Readable.from([])) }),
    ["getter/unknown", "getter/files"],
  ],
  [
    "a layer that was listed once is listed for good",
    (driver) => {
      const seen = new Map<string, ListedLayer>();
      return {
        async *list() {
          for await (const layer of driver.list?.() ?? []) seen.set(layer.id, layer);
          yield* seen.values();
        },
      };
    },
    ["list/removed"],
  ],
  [
    "no parent is listed, and nothing an image",
    (driver) => ({
      async *list() {
        for await (const { id } of driver.list?.() ?? []) yield { id, parent: undefined, kind: "unknown" };
      },
    }),
    ["list/layers", "list/kinds"],
  ],
];

/** What is not written through to the disk is found out as well, and sooner. */
const openVfs: GraphDriverFactory["open"] = (options) => vfs.open({ ...options, durability: "none" });

const openOverlay2: GraphDriverFactory["open"] = (options) => overlay2.open({ ...options, durability: "none" });

const exactVfs: GraphDriverFactory["open"] = ({ options = [], ...rest }) =>
  openVfs({ ...rest, options: ["cleat.exact_diffs=true", ...options] });

/** What a driver without a record of the archive answers, in its own order. */
async function anew(driver: GraphDriver, id: string, parent?: string): Promise<Readable> {
  const chunks = await (await driver.diff(id, parent)).toArray();
  return Readable.from([Buffer.concat([...(chunks as Buffer[]), Buffer.alloc(512)])]);
}

function keepingArchives(
  driver: GraphDriver,
  keyOf: (layer: { readonly id: string; readonly parent: string | undefined }) => string,
): Partial<GraphDriver> {
  const kept = new Map<string, Buffer>();
  return {
    async applyDiff(id, parent, source) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      const sizeBytes = await driver.applyDiff(id, parent, Readable.from(chunks));
      kept.set(keyOf({ id, parent }), Buffer.concat(chunks));
      return sizeBytes;
    },
    async diff(id, parent) {
      const archive = kept.get(keyOf({ id, parent }));
      return archive === undefined ? driver.diff(id, parent) : Readable.from([archive]);
    },
  };
}

const spellings = { asked: 0 };

/** What may stand after a folder's path, another thing each time. */
function otherSpelling(): string {
  spellings.asked += 1;
  return "/.".repeat(spellings.asked % 50);
}

async function mountsOf(driver: GraphDriver, id: string, readOnly: boolean): Promise<readonly MountSpec[]> {
  if (driver.mounts === undefined) throw new Error(`${driver.name} tells no mounts`);
  return driver.mounts(id, { readOnly });
}

async function openGetter(driver: GraphDriver, id: string): Promise<DiffGetter> {
  if (driver.diffGetter === undefined) throw new Error("vfs has no diff getter");
  return driver.diffGetter(id);
}

function getterOf(get: DiffGetter["get"]): DiffGetter {
  const close = async (): Promise<void> => {};
  return { get, close, [Symbol.asyncDispose]: close };
}

/** The union checks make thousands of files, on whatever disk this machine has. */
const timeout = 3 * 60_000;

test.each([
  ...faults.map((row) => [...row, openVfs] as const),
  ...told.filter(([, , found]) => found.length > 0).map((row) => [...row, openVfs] as const),
  ...layered.filter(([, , found]) => found.length > 0).map((row) => [...row, openOverlay2] as const),
  ...exactFaults.map((row) => [...row, exactVfs] as const),
])("the kit finds it when %s", { timeout }, async (_, fault, found, openOne) => {
  await using scratch = await createScratch();
  const open: GraphDriverFactory["open"] = async (options) => {
    const driver = await openOne(options);
    return { ...driver, ...fault(driver) };
  };
  const results = await runGraphDriverKit({ open, folder: scratch.path, only: found });
  const outcomes = results.map(({ id, outcome }) => `${id} ${outcome}`);
  expect(outcomes.toSorted()).toEqual(found.map((id) => `${id} failed`).toSorted());
});

test.each([
  ["vfs", openVfs, [...faults, ...told]],
  ["overlay2", openOverlay2, [...told, ...layered]],
  ["vfs with exact diffs", exactVfs, exactFaults],
] as const)("a driver without a fault fails none of these: %s", { timeout }, async (_, open, rows) => {
  await using scratch = await createScratch();
  const only = [...new Set(rows.flatMap(([, , found]) => found))];
  const results = await runGraphDriverKit({ open, folder: scratch.path, only, reuse: true });
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});
