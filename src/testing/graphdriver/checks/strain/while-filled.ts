/**
 * What others see of a layer while its diff is being applied, or undone: it as it was or as it will be, and nothing
 * between.
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { CleatError } from "../../../../errors/index.ts";
import { buildArchive, encodeEntry } from "../../../archive/build-archive.ts";
import { type ArchiveEntry, file, folder, whiteout } from "../../../archive/entry.ts";
import { readArchive } from "../../../archive/read-archive.ts";
import { readAll, streamOf } from "../../../archive/stream.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { applyEntries, listChanges, makeEmptyLayer, makeLayer, readDiff, readLayer } from "../../layers.ts";

const below = [folder("d"), file("d/old", "old"), file("kept", "kept")];
/**
 * Larger than what lies between a sender and a driver, so that some of it is unpacked when the sender is asked for
 * more.
 */
const first = [folder("d"), whiteout("d/old"), file("first", "1"), file("large", Buffer.alloc(4 * 2 ** 20, "large"))];
const last = [file("d/new", "new"), file("last", "2")];
const whole = [...first, ...last];

type Look = (context: GraphDriverContext, layer: string, parent: string) => Promise<unknown>;

const looks: Readonly<Record<string, Look>> = {
  get: async (context, layer) => sortedNames(await readLayer(context, layer)),
  diff: async (context, layer, parent) => {
    const entries = readArchive(await readDiff(context, layer, parent));
    return entries.map(({ header }) => header.name.toString()).toSorted();
  },
  changes: listChanges,
  diffSize: ({ driver }, layer, parent) => driver.diffSize(layer, parent),
  exists: ({ driver }, layer) => driver.exists(layer),
  metadata: async ({ driver }, layer) => Object.keys(await driver.metadata(layer)),
  create: async (context, layer) => sortedNames(await readLayer(context, await makeEmptyLayer(context, layer))),
  diffGetter: async ({ driver }, layer) => {
    await using getter = await driver.diffGetter?.(layer);
    const names = ["first", "last"];
    const reads = names.map(async (name) => getter && readAll(await getter.get(Buffer.from(name))));
    return (await Promise.allSettled(reads)).map(({ status }) => status);
  },
};

export const whileFilledChecks: readonly GraphDriverCheck[] = [
  ...Object.entries(looks).flatMap(([method, look]): GraphDriverCheck[] => [
    {
      id: `while-filled/${method}`,
      title: `${method} of a layer whose diff is being applied is that of the layer before or after`,
      run: (context) => assertNeverBetween(context, look, "applied"),
    },
    {
      id: `while-undone/${method}`,
      title: `${method} of a layer whose diff fails is that of the layer before`,
      run: (context) => assertNeverBetween(context, look, "undone"),
    },
  ]),
  {
    id: "while-filled/remove",
    title: "a layer that is removed while its diff is being applied is gone after both calls",
    async run(context) {
      const { layer, parent } = await makeLayers(context);
      const sender = createHeldSender("applied");
      const applied = context.driver.applyDiff(layer, parent, sender.source);
      await sender.untilHeld;
      const removed = context.driver.remove(layer);
      sender.release();
      await Promise.allSettled([applied]);
      await removed;
      equal(await context.driver.exists(layer), false);
      await context.driver.create(layer, { parent });
      deepEqual(await looks["get"]?.(context, layer, parent), ["d", "d/old", "kept"]);
    },
  },
  {
    id: "while-undone/parent-gone",
    title: "a layer whose diff fails, and whose parent is gone meanwhile, is not shown or copied half made",
    run: assertNeverHalfMade,
  },
];

/**
 * Whoever waits for the layer may be refused, as it may be that nothing is there to make it of what it was. Of two
 * calls over connections of their own either may come first: where the diff was refused, since somebody had looked
 * before it came, nobody looks so early once more.
 */
async function assertNeverHalfMade(context: GraphDriverContext): Promise<void> {
  if (!(await isNeverHalfMade(context, true))) ok(await isNeverHalfMade(context, false), "the diff was refused");
}

/** False where the diff was refused, and nothing is told of the layer. */
async function isNeverHalfMade(context: GraphDriverContext, looksAtOnce: boolean): Promise<boolean> {
  const { driver } = context;
  const { layer, parent } = await makeLayers(context);
  const sender = createHeldSender("undone");
  const look = () =>
    Promise.allSettled([
      readLayer(context, layer),
      makeEmptyLayer(context, layer).then((child) => readLayer(context, child)),
    ]);
  const applying = driver.applyDiff(layer, parent, sender.source);
  const seenAtOnce = looksAtOnce ? look() : []; // asked for before anything of the diff is there
  const isHeld = await Promise.race([
    sender.untilHeld.then(() => true),
    applying.then(
      () => true,
      () => false,
    ),
  ]);
  if (!isHeld) {
    sender.release();
    await seenAtOnce;
    return false;
  }
  await driver.remove(parent, { evenWithChildren: true });
  const seen = look();
  sender.release();
  await rejects(applying);
  for (const seenOnce of [...(await seenAtOnce), ...(await seen)]) {
    if (seenOnce.status === "fulfilled") deepEqual(sortedNames(seenOnce.value), ["d", "d/old", "kept"]);
  }
  return true;
}

async function assertNeverBetween(context: GraphDriverContext, look: Look, end: End): Promise<void> {
  const { layer, parent, filled } = await makeLayers(context);
  // Looking is no harm to the layer, as is told apart from another one that nobody looked at.
  const before = await look(context, await makeEmptyLayer(context, parent), parent);
  const allowed = end === "applied" ? [before, await look(context, filled, parent)] : [before];
  const sender = createHeldSender(end);
  const applying = context.driver.applyDiff(layer, parent, sender.source);
  await Promise.race([sender.untilHeld, applying]);
  const seen = look(context, layer, parent).catch((error: unknown) => {
    if (error instanceof CleatError && error.code === "ABORTED") return before;
    throw error;
  });
  // As long as that takes on other layers, it may take on this one: whoever does not wait has looked by now.
  for (let times = 0; times < 2; times++) await look(context, filled, parent);
  sender.release();
  if (end === "applied") await applying;
  else await rejects(applying);
  const shown = JSON.stringify(await seen);
  ok(
    allowed.some((answer) => JSON.stringify(answer) === shown),
    `${shown} is none of ${JSON.stringify(allowed)}`,
  );
  if (end === "undone") await applyEntries(context, layer, parent, whole);
  deepEqual(sortedNames(await readLayer(context, layer)), ["d", "d/new", "first", "kept", "large", "last"]);
}

async function makeLayers(context: GraphDriverContext) {
  const parent = await makeLayer(context, undefined, below);
  return {
    parent,
    layer: await makeEmptyLayer(context, parent),
    filled: await makeLayer(context, parent, whole),
  };
}

function sortedNames(tree: ReadonlyMap<string, unknown>): string[] {
  return [...tree.keys()].toSorted();
}

type End = "applied" | "undone";

/** Sends most of the archive and then nothing until it is released; then the rest, or a failure. */
function createHeldSender(end: End) {
  let release!: () => void;
  let held!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const untilHeld = new Promise<void>((resolve) => (held = resolve));
  async function* send(): AsyncGenerator<Uint8Array> {
    yield* streamOf(Buffer.concat(first.map((entry: ArchiveEntry) => encodeEntry(entry))));
    held();
    await released;
    if (end === "undone") throw new Error("the uplink broke");
    yield* streamOf(buildArchive(last));
  }
  return { source: send(), untilHeld, release };
}
