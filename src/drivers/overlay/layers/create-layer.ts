import { symlinkSync, writeFileSync } from "node:fs";
import { CleatError, isSystemError, withSubject } from "../../../errors/index.ts";
import { removeTree, withFolder, withFolderAt } from "../../../layer/index.ts";
import {
  close,
  fsync,
  ignoreCancellation,
  isThere,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  openat,
  RENAME_NOREPLACE,
  renameat2,
} from "../../../syscall/index.ts";
import { makeFolderInClean, stagingPath, takeBack, uniqueName, withCleanFolder } from "../../../graphdriver/job-kit.ts";
import { limitLayer, markFolder } from "../quotas/layer-size.ts";
import { createLink, linksFolder, readLayer } from "../layout/layout.ts";
import { markCommitted } from "../layout/mark-parents.ts";
import type { ProjectQuotas } from "../quotas/project-quotas.ts";

export interface NewLayer {
  readonly id: string;
  readonly parent: string | undefined;
  /** Owner of the folders that a container sees. */
  readonly rootUid: number;
  readonly rootGid: number;
  /** Whether the layer must survive power loss from here on; an image layer need not before it is filled. */
  readonly durable: boolean;
  /** Whether the home's file system keeps the order of names (`keepsOrder` of the kit). Default false. */
  readonly ordered?: boolean | undefined;
  /**
   * Whether whoever wants it durable brings names to the disk, and mends what a power loss leaves (`mend-layers.ts`).
   */
  readonly mendable?: boolean | undefined;
  readonly maxDepth: number;
  readonly size?: LayerSize | undefined;
}

export interface LayerSize {
  readonly bytes: number;
  /** A project of this file system that is taken, as those below it may be. */
  readonly afterProject: number;
  readonly quotas: ProjectQuotas;
}

/**
 * Makes a layer beside the store and renames it into place. Returns the project of a layer with a size. Blocks; runs on
 * a worker.
 *
 * A durable one costs three fsyncs where the file system keeps the order of names, else five. Both small files need
 * their own: without its content a layer is damaged. They come before the rename, for what a power loss leaves must be
 * whole. The fsync of the home, last, is the acknowledgement; the staged folder's and that of `l/` are only needed
 * where it does not stand for them. One that is mended costs none where the order is kept: names come to the disk with
 * the first fsync after them, of whatever file.
 * @throws ALREADY_EXISTS, NOT_FOUND for the parent, OUT_OF_RANGE when the stack would become too deep, INVALID_ARGUMENT
 * for a size that leaves no room.
 */
export function createLayer(home: string, layer: NewLayer): number | undefined {
  const { id, parent, rootUid, rootGid, size } = layer;
  if (isThere(`${home}/${id}`)) throw alreadyExists(id);
  const lower = parent === undefined ? undefined : lowerOf(home, parent, layer);
  const staged = stagingPath(uniqueName());
  const link = createLink();
  const isOrdered = layer.ordered === true;
  const durable = layer.durable && !(isOrdered && layer.mendable === true);
  const eachFolder = durable && !isOrdered;
  let project: number | undefined;
  let placed = staged;
  try {
    withCleanFolder(`${home}/${staged}`, 0o710, { uid: 0, gid: rootGid }, (folder) => {
      const root = { uid: rootUid, gid: rootGid };
      makeFolderInClean(folder, "diff", 0o755, root);
      writeNewFile(folder, "link", link, durable);
      if (lower !== undefined) {
        makeFolderInClean(folder, "work", 0o700, root);
        writeNewFile(folder, "lower", lower, durable);
      }
      if (size !== undefined) project = limitLayer(folder, size.bytes, size.afterProject, size.quotas);
      if (eachFolder) fsync(folder);
    });
    symlinkSync(`../${id}/diff`, `${home}/${linksFolder}/${link}`);
    if (eachFolder) withFolderAt(`${home}/${linksFolder}`, fsync);
    withFolderAt(home, (folder) => {
      renameat2(folder, staged, folder, id, RENAME_NOREPLACE);
      placed = id;
      if (project !== undefined) withFolder(folder, id, (made) => markFolder(made, project as number));
      if (durable) fsync(folder);
    });
    return project;
  } catch (error) {
    ignoreCancellation();
    const failure = takeBack(error, () =>
      withFolderAt(home, (folder) => {
        removeTree(folder, placed);
        removeTree(folder, `${linksFolder}/${link}`);
      }),
    );
    if (isSystemError(failure, "EEXIST")) throw alreadyExists(id);
    throw size === undefined ? failure : withSubject(failure, `layer "${id}" cannot be made`);
  }
}

function writeNewFile(folder: number, name: string, text: string, durable: boolean): void {
  const file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0o644);
  try {
    writeFileSync(file, text);
    if (durable) fsync(file);
  } finally {
    close(file);
  }
}

function alreadyExists(id: string): CleatError {
  return new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
}

/**
 * What the `lower` file of a layer on `parent` says; marks that as one on which others lie.
 * @throws NOT_FOUND for the parent, OUT_OF_RANGE when the stack would become too deep.
 */
export function lowerOf(home: string, parent: string, { id, maxDepth }: Pick<NewLayer, "id" | "maxDepth">): string {
  const below = readParent(home, parent, id);
  const lowers = [`${linksFolder}/${below.link}`, ...below.lowers];
  if (lowers.length > maxDepth) {
    throw new CleatError("OUT_OF_RANGE", `layer "${id}" would lie on ${lowers.length} layers, more than ${maxDepth}`);
  }
  markCommitted(home, parent);
  return lowers.join(":");
}

function readParent(home: string, parent: string, id: string): ReturnType<typeof readLayer> {
  try {
    return readLayer(home, parent);
  } catch (error) {
    if (!(error instanceof CleatError) || error.code !== "NOT_FOUND") throw error;
    throw new CleatError("NOT_FOUND", `parent "${parent}" of layer "${id}" does not exist`);
  }
}
