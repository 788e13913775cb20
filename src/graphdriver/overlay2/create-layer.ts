import { existsSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { removeTree, withFolderAt } from "../../layer/index.ts";
import { chownat, fsync, RENAME_NOREPLACE, renameat2 } from "../../syscall/index.ts";
import { stagingPath, uniqueName } from "../home.ts";
import { createLink, linksFolder, readLayer } from "./layout.ts";

export interface NewLayer {
  readonly id: string;
  readonly parent: string | undefined;
  /** Owner of the folders that a container sees. */
  readonly rootUid: number;
  readonly rootGid: number;
  /** Whether the layer must survive power loss from here on; an image layer need not before it is filled. */
  readonly durable: boolean;
  readonly maxDepth: number;
}

/**
 * Makes a layer beside the store and renames it into place. Blocks; runs on a worker.
 * @throws ALREADY_EXISTS, NOT_FOUND for the parent, OUT_OF_RANGE when the stack would become too deep.
 */
export function createLayer(home: string, layer: NewLayer): void {
  const { id, parent, rootUid, rootGid, durable } = layer;
  if (existsSync(`${home}/${id}`)) throw alreadyExists(id);
  const lower = parent === undefined ? undefined : lowerOf(home, parent, layer);
  const staged = stagingPath(uniqueName());
  const path = `${home}/${staged}`;
  const link = createLink();
  mkdirSync(path, { mode: 0o710 });
  try {
    mkdirSync(`${path}/diff`, { mode: 0o755 });
    writeFileSync(`${path}/link`, link, { mode: 0o644, flush: durable });
    if (lower !== undefined) {
      mkdirSync(`${path}/work`, { mode: 0o700 });
      writeFileSync(`${path}/lower`, lower, { mode: 0o644, flush: durable });
    }
    withFolderAt(path, (folder) => {
      if (rootUid !== 0 || rootGid !== 0) giveToRoot(folder, layer);
      if (durable) fsync(folder);
    });
    symlinkSync(`../${id}/diff`, `${home}/${linksFolder}/${link}`);
    if (durable) withFolderAt(`${home}/${linksFolder}`, fsync);
    withFolderAt(home, (folder) => {
      renameat2(folder, staged, folder, id, RENAME_NOREPLACE);
      if (durable) fsync(folder);
    });
  } catch (error) {
    unlinkQuietly(`${home}/${linksFolder}/${link}`);
    withFolderAt(home, (folder) => removeTree(folder, staged));
    if (isSystemError(error, "EEXIST")) throw alreadyExists(id);
    throw error;
  }
}

function alreadyExists(id: string): CleatError {
  return new CleatError("ALREADY_EXISTS", `layer "${id}" exists already`);
}

function lowerOf(home: string, parent: string, { id, maxDepth }: NewLayer): string {
  const below = readParent(home, parent, id);
  const lowers = [`${linksFolder}/${below.link}`, ...below.lowers];
  if (lowers.length > maxDepth) {
    throw new CleatError("OUT_OF_RANGE", `layer "${id}" would lie on ${lowers.length} layers, more than ${maxDepth}`);
  }
  writeFileSync(`${home}/${parent}/committed`, "", { mode: 0o600 });
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

function giveToRoot(folder: number, { parent, rootUid, rootGid }: NewLayer): void {
  chownat(folder, ".", 0, rootGid);
  chownat(folder, "diff", rootUid, rootGid);
  if (parent !== undefined) chownat(folder, "work", rootUid, rootGid);
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
}
