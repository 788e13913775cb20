/**
 * What the layers below show under the names of one folder, with one of their folders open at a time: with hundreds of
 * layers, and folders nested as deep, the process would else run out of descriptors for a single diff.
 */
import { type FileStatus, isDirectory, statIfThere } from "../../syscall/index.ts";
import { isOverlayWhiteout } from "../entry/entry-type.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";
import { withFolder } from "../tree/with-folder.ts";
import { isOpaqueFolder, type Lowers, withLowerFolder } from "./lower-folder.ts";

/** What a lower layer has under a name, while its folder is open. */
export interface LowerEntry {
  readonly status: FileStatus;
  /** The layer's folder that holds it. */
  readonly holder: number;
}

/** What the lower layers show under a name that the upper one has. */
export interface Covered {
  readonly name: Buffer;
  /** What the upper layer has there. */
  readonly status: FileStatus;
  /** "none" also where the uppermost that knows the name deletes it. */
  below: "none" | "same" | "modified";
  /** Of a folder: the layers whose folders of that name show through in it. */
  readonly lowers: readonly string[];
}

export interface LowerSearch {
  readonly attributePrefix: OverlayPrefix;
  isModified(name: Buffer, status: FileStatus, lower: LowerEntry): boolean;
  /** Throws for a folder, which is open, that shows what lies elsewhere in the layers below. */
  assertInPlace(folder: number, name: Buffer): void;
}

/** Looks the names up in each of `lowers`, all of which have a folder at `path`. */
export function findCovered(
  lowers: Lowers,
  path: string,
  names: readonly { readonly name: Buffer; readonly status: FileStatus }[],
  search: LowerSearch,
): readonly Covered[] {
  const entries = names.map(({ name, status }) => createPending(name, status));
  let pending: readonly Pending[] = entries;
  for (const layer of lowers) {
    if (pending.length === 0) break;
    withLowerFolder(layer, path, (holder) => {
      for (const entry of pending) lookAt(entry, layer, holder, search);
    });
    pending = pending.filter(({ isFound, isOpen }) => !isFound || isOpen);
  }
  return entries;
}

interface Pending extends Covered {
  /** Whether a layer has said what is below. */
  isFound: boolean;
  /** Whether folders of layers further below show through. */
  isOpen: boolean;
  readonly lowers: string[];
}

function createPending(name: Buffer, status: FileStatus): Pending {
  return { name, status, below: "none", lowers: [], isFound: false, isOpen: isDirectory(status) };
}

function lookAt(entry: Pending, layer: string, holder: number, search: LowerSearch): void {
  const { attributePrefix, isModified, assertInPlace } = search;
  const status = statIfThere(holder, entry.name);
  if (status === undefined) return;
  if (!entry.isFound && !isOverlayWhiteout(status)) {
    entry.below = isModified(entry.name, entry.status, { status, holder }) ? "modified" : "same";
  }
  entry.isFound = true;
  if (!entry.isOpen) return;
  entry.isOpen = isDirectory(status);
  if (!entry.isOpen) return;
  entry.lowers.push(layer);
  entry.isOpen = !withFolder(holder, entry.name, (folder) => {
    assertInPlace(folder, entry.name);
    return isOpaqueFolder(folder, attributePrefix);
  });
}
