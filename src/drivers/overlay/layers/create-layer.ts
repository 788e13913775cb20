import { symlinkSync } from "node:fs";
import { CleatError, isSystemError, withSubject } from "../../../errors/index.ts";
import type { CreateOptions, MountSpec } from "../../../graphdriver/index.ts";
import { stagingPath, takeBack, uniqueName } from "../../../graphdriver/job-kit.ts";
import { removeTree, withFolder, withFolderAt } from "../../../layer/index.ts";
import {
  chownat,
  fsync,
  ignoreCancellation,
  isThere,
  makeOfferedWrite,
  type OfferedWrite,
  RENAME_NOREPLACE,
  renameat2,
  statat,
} from "../../../syscall/index.ts";
import { linksFolder, linkTarget, readLayer } from "../layout/layout.ts";
import { markCommitted } from "../layout/mark-parents.ts";
import { type OverlayMounter, toMountSpec } from "../mounts/mount-specs.ts";
import { limitLayer, markFolder } from "../quotas/layer-size.ts";
import type { ProjectQuotas } from "../quotas/project-quotas.ts";
import { makeNewLayer, makeSpareBehind, sparePath, takeSpare } from "./spare-layer.ts";
import { writeNewFile } from "./write-new-file.ts";

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
  /** Whether it may be made of a spare, and the next spare made behind (`spare-layer.ts`). Default false. */
  readonly spares?: boolean | undefined;
  /** `rootOwner` of the contract. */
  readonly rootOwner?: CreateOptions["rootOwner"];
  /** Who mounts it, for whoever wants to know how. */
  readonly mounter?: OverlayMounter | undefined;
  /** `record` of the contract. */
  readonly record?: OfferedWrite | undefined;
}

export interface LayerSize {
  readonly bytes: number;
  /** A project of this file system that is taken, as those below it may be. */
  readonly afterProject: number;
  readonly quotas: ProjectQuotas;
}

/** What is to be known of a layer that was made. */
export interface MadeLayer {
  /** The project of a layer with a size. */
  readonly project: number | undefined;
  /** How it is mounted to be written to, for whoever has named a mounter. */
  readonly mount: MountSpec | undefined;
}

/**
 * Makes a layer beside the store and renames it into place. Blocks; runs on a worker.
 *
 * A durable one costs three fsyncs where the file system keeps the order of names, else five. Both small files need
 * their own: without its content a layer is damaged. They come before the rename, for what a power loss leaves must be
 * whole. The fsync of the home, last, is the acknowledgement; the staged folder's and that of `l/` are only needed
 * where it does not stand for them. One that is mended costs none where the order is kept: names come to the disk with
 * the first fsync after them, of whatever file.
 * @throws ALREADY_EXISTS, NOT_FOUND for the parent, OUT_OF_RANGE when the stack would become too deep, INVALID_ARGUMENT
 * for a size that leaves no room; of the mount what `toMountSpec` does.
 */
export function createLayer(home: string, layer: NewLayer): MadeLayer {
  const { id, parent, mounter, record } = layer;
  if (isThere(`${home}/${id}`)) throw alreadyExists(id);
  const lowers = parent === undefined ? [] : lowersOn(home, parent, layer);
  const mount = mounter && toMountSpec(home, { id, lowers }, false, mounter);
  const project = withFolderAt(home, (folder) => makeLayer(home, folder, layer, lowers.join(":")));
  if (record !== undefined) makeOfferedWrite(record);
  return { project, mount };
}

/** Returns the project of a layer with a size. */
function makeLayer(home: string, folder: number, layer: NewLayer, lower: string): number | undefined {
  const { id, parent, rootUid, rootGid, size } = layer;
  const root = { uid: rootUid, gid: rootGid };
  const isOnOther = parent !== undefined;
  const isOrdered = layer.ordered === true;
  const durable = layer.durable && !(isOrdered && layer.mendable === true);
  const eachFolder = durable && !isOrdered;
  const mayBeSpare = layer.spares === true && isOnOther && size === undefined;
  let placed = stagingPath(uniqueName());
  let link: string | undefined;
  let project: number | undefined;
  const finish = (opened: number): void => {
    if (isOnOther) giveRootItsOwner(folder, opened, parent, layer);
    if (eachFolder) fsync(opened);
  };
  try {
    if (mayBeSpare) link = takeSpare(home, folder, { lower, root, durable }, finish);
    if (link !== undefined) placed = sparePath;
    else
      makeNewLayer(`${home}/${placed}`, { isOnOther, root, durable }, (made, itsLink) => {
        link = itsLink;
        if (isOnOther) writeNewFile(made, "lower", lower, durable);
        if (size !== undefined) project = limitLayer(made, size.bytes, size.afterProject, size.quotas);
        finish(made);
      });
    symlinkSync(linkTarget(id), `${home}/${linksFolder}/${link}`);
    if (eachFolder) withFolderAt(`${home}/${linksFolder}`, fsync);
    renameat2(folder, placed, folder, id, RENAME_NOREPLACE);
    placed = id;
    if (project !== undefined) withFolder(folder, id, (made) => markFolder(made, project as number));
    if (durable) fsync(folder);
  } catch (error) {
    ignoreCancellation();
    const failure = takeBack(error, () => {
      removeTree(folder, placed);
      if (link !== undefined) removeTree(folder, `${linksFolder}/${link}`);
    });
    if (isSystemError(failure, "EEXIST")) throw alreadyExists(id);
    throw size === undefined ? failure : withSubject(failure, `layer "${id}" cannot be made`);
  }
  if (mayBeSpare) makeSpareBehind(home, root);
  return project;
}

/** A new owner is flushed where the layer is durable, whoever else brings names to the disk. */
function giveRootItsOwner(home: number, made: number, parent: string, layer: NewLayer): void {
  if (layer.rootOwner === undefined) return;
  const { uid, gid } = layer.rootOwner === "as parent" ? statat(home, `${parent}/diff`) : layer.rootOwner;
  if (uid === layer.rootUid && gid === layer.rootGid) return;
  chownat(made, "diff", uid, gid);
  if (layer.durable) withFolder(made, "diff", fsync);
}

function alreadyExists(id: string): CleatError {
  return new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
}

/**
 * What the `lower` file of a layer on `parent` says; marks that as one on which others lie.
 * @throws NOT_FOUND for the parent, OUT_OF_RANGE when the stack would become too deep.
 */
export function lowerOf(home: string, parent: string, layer: Pick<NewLayer, "id" | "maxDepth">): string {
  return lowersOn(home, parent, layer).join(":");
}

function lowersOn(home: string, parent: string, { id, maxDepth }: Pick<NewLayer, "id" | "maxDepth">): string[] {
  const below = readParent(home, parent, id);
  const lowers = [`${linksFolder}/${below.link}`, ...below.lowers];
  if (lowers.length > maxDepth) {
    throw new CleatError("OUT_OF_RANGE", `layer "${id}" would lie on ${lowers.length} layers, more than ${maxDepth}`);
  }
  markCommitted(home, parent);
  return lowers;
}

function readParent(home: string, parent: string, id: string): ReturnType<typeof readLayer> {
  try {
    return readLayer(home, parent);
  } catch (error) {
    if (!(error instanceof CleatError) || error.code !== "NOT_FOUND") throw error;
    throw new CleatError("NOT_FOUND", `parent "${parent}" of layer "${id}" does not exist`);
  }
}
