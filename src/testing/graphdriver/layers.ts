/** The steps that most checks are made of. */
import { buildArchive } from "../archive/build-archive.ts";
import type { ArchiveEntry } from "../archive/entry.ts";
import { readAll, streamOf } from "../archive/stream.ts";
import { createTreeWriter, type TreeWriter } from "../tree/tree-writer.ts";
import { readTree } from "../tree/read-tree.ts";
import type { Tree } from "../tree/tree.ts";
import type { GraphDriverContext } from "./context.ts";

/** A new, empty layer of an image; its id. */
export async function makeEmptyLayer({ driver, newId }: GraphDriverContext, parent?: string): Promise<string> {
  const id = newId();
  await driver.create(id, { parent });
  return id;
}

/** A new layer of an image, filled; its id. */
export async function makeLayer(
  context: GraphDriverContext,
  parent: string | undefined,
  entries: readonly ArchiveEntry[],
): Promise<string> {
  const id = await makeEmptyLayer(context, parent);
  await applyEntries(context, id, parent, entries);
  return id;
}

/** A container's layer on top of `parent`, with what the container wrote; its id. */
export async function makeContainer(
  context: GraphDriverContext,
  parent: string | undefined,
  steps?: (writer: TreeWriter) => void,
): Promise<string> {
  const id = context.newId();
  await context.driver.createReadWrite(id, { parent });
  if (steps !== undefined) await writeLayer(context, id, steps);
  return id;
}

/** Returns the size that the driver answers. */
export function applyEntries(
  context: GraphDriverContext,
  id: string,
  parent: string | undefined,
  entries: readonly ArchiveEntry[],
): Promise<number> {
  return applyArchive(context, id, parent, buildArchive(entries));
}

export function applyArchive(
  { driver }: GraphDriverContext,
  id: string,
  parent: string | undefined,
  archive: Uint8Array,
): Promise<number> {
  return driver.applyDiff(id, parent, streamOf(archive));
}

/** Makes the layer visible for as long as `visit` runs. */
export async function visitLayer<T>(
  { driver }: GraphDriverContext,
  id: string,
  visit: (path: string) => T | Promise<T>,
): Promise<T> {
  const path = await driver.get(id, {});
  try {
    return await visit(path);
  } finally {
    await driver.put(id);
  }
}

export function readLayer(context: GraphDriverContext, id: string): Promise<Tree> {
  return visitLayer(context, id, readTree);
}

export function writeLayer(
  context: GraphDriverContext,
  id: string,
  steps: (writer: TreeWriter) => void,
): Promise<void> {
  return visitLayer(context, id, (path) => steps(createTreeWriter(path)));
}

/** "added /etc/hosts": paths as byte strings, in the driver's order. */
export async function listChanges({ driver }: GraphDriverContext, id: string, parent?: string): Promise<string[]> {
  const changes = await driver.changes(id, parent);
  return changes.map(({ kind, path }) => `${kind} ${path.toString("latin1")}`);
}

export async function readDiff({ driver }: GraphDriverContext, id: string, parent?: string): Promise<Buffer> {
  return readAll(await driver.diff(id, parent));
}

/** What `docker commit` does: one layer's diff streams into a new layer; the id of that. */
export async function commitLayer(
  context: GraphDriverContext,
  id: string,
  parent: string | undefined,
): Promise<string> {
  const copy = await makeEmptyLayer(context, parent);
  await context.driver.applyDiff(copy, parent, await context.driver.diff(id, parent));
  return copy;
}
