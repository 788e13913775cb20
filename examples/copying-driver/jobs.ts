/**
 * What blocks: these functions run on worker threads, which import this module. A layer is a folder of its own:
 *
 *     <home>/layers/<id>/parent     the id of the layer that it was copied from, or nothing
 *     <home>/layers/<id>/created    the whole tree, as long as no diff was applied
 *     <home>/layers/<id>/filled     the whole tree from then on
 *
 * Whatever is made is made in staging and comes into its place by one rename, so that a crash leaves a layer whole or
 * not there.
 */
import { closeSync, existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { CleatError } from "cleat/errors";
import * as kit from "cleat/graphdriver/kit";
import { copyTree, openFolder, removeTree, treesDiffer, withFolderAt } from "cleat/layer";

export const moduleUrl = import.meta.url;
export const { archiveDifference, sendChanges, sizeOfDifference } = kit.createNaiveJobs();
export { emptyTrash } from "cleat/graphdriver/kit";

const layerOf = (home: string, id: string): string => `${home}/layers/${id}`;
const remove = (home: string, path: string): void => withFolderAt(home, (folder) => removeTree(folder, path));

export function treeOf(home: string, id: string): string {
  const filled = `${layerOf(home, id)}/filled`;
  return existsSync(filled) ? filled : `${layerOf(home, id)}/created`;
}

export function openStore(home: string): void {
  kit.sweep(home);
  kit.ensureCleanFolder(`${home}/layers`, kit.passageMode);
  for (const id of readdirSync(`${home}/layers`)) {
    if (existsSync(`${layerOf(home, id)}/filled`)) remove(home, `layers/${id}/created`);
  }
}

export function readParents(home: string): kit.Parents {
  return readdirSync(`${home}/layers`).flatMap((id) => {
    const parent = kit.readIfThere(`${layerOf(home, id)}/parent`);
    return parent ? [[id, parent] as const] : [];
  });
}

export function createLayer(home: string, id: string, parent: string | undefined, owner: kit.OpenHome["owner"]): void {
  if (existsSync(layerOf(home, id))) throw new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
  inStaging(home, (staged, path) => {
    kit.makeCleanFolder(path, 0o755);
    copyParent(home, parent, `${path}/created`, owner);
    writeFileSync(`${path}/parent`, parent ?? "");
    withFolderAt(path, kit.syncfs);
    kit.beginCommit(); // from here on nobody gives it up
    renameSync(path, layerOf(home, id));
  });
}

/** What is unpacked is a copy of the parent beside the layer, so that nothing has to be undone. */
export function applyDiff(
  home: string,
  id: string,
  parent: string | undefined,
  ring: kit.Ring,
  { owner, ...options }: { owner: kit.OpenHome["owner"] } & Omit<Parameters<typeof kit.unpackDiff>[2], "whiteouts">,
): Promise<kit.AppliedDiff> {
  return kit.applyArchive(ring, id, async (source) => {
    assertAsCreated(home, id, parent);
    return inStaging(home, async (staged, path) => {
      copyParent(home, parent, path, owner);
      const tree = withFolderAt(home, (folder) => openFolder(folder, staged));
      try {
        const applied = await kit.unpackDiff(source, tree, { ...options, whiteouts: { kind: "delete" } }, undefined);
        kit.syncfs(tree);
        kit.beginCommit();
        renameSync(path, `${layerOf(home, id)}/filled`);
        remove(home, `layers/${id}/created`);
        return applied;
      } finally {
        closeSync(tree);
      }
    });
  });
}

/** Returns the name under which `emptyTrash` deletes it; one that is not there is removed already. */
export function discardLayer(home: string, id: string): string | undefined {
  if (!existsSync(layerOf(home, id))) return undefined;
  return withFolderAt(home, (folder) =>
    kit.discardOrRemove(folder, `layers/${id}`, () => remove(home, `layers/${id}`)),
  );
}

function copyParent(home: string, parent: string | undefined, to: string, owner: kit.OpenHome["owner"]): void {
  kit.makeCleanFolder(to, 0o755, { uid: owner.rootUid, gid: owner.rootGid });
  if (parent !== undefined)
    withFolderAt(treeOf(home, parent), (from) => withFolderAt(to, (copy) => copyTree(from, copy)));
}

function assertAsCreated(home: string, id: string, parent: string | undefined): void {
  const recorded = kit.readIfThere(`${layerOf(home, id)}/parent`);
  if (recorded === undefined) throw new CleatError("NOT_FOUND", "it does not exist");
  if (recorded !== (parent ?? ""))
    throw new CleatError("FAILED_PRECONDITION", `it lies on "${recorded}", not on "${parent ?? ""}"`);
  const isWritten = withFolderAt(treeOf(home, id), (tree) =>
    parent === undefined
      ? readdirSync(treeOf(home, id)).length > 0
      : withFolderAt(treeOf(home, parent), (below) => treesDiffer(tree, below)),
  );
  if (isWritten || existsSync(`${layerOf(home, id)}/filled`))
    throw new CleatError("FAILED_PRECONDITION", "it holds changes already; a diff is applied to a new layer");
}

/** Runs `make`, and deletes what it leaves in staging when it fails. */
function inStaging<T>(home: string, make: (staged: string, path: string) => T): T {
  const staged = kit.stagingPath(kit.uniqueName());
  const undo = (error: unknown): never => {
    kit.ignoreCancellation();
    remove(home, staged);
    throw error;
  };
  try {
    const made = make(staged, `${home}/${staged}`);
    return made instanceof Promise ? (made.catch(undo) as T) : made;
  } catch (error) {
    return undo(error);
  }
}
