/**
 * Layers that were not written under this driver's settings (`mount-switches.ts`): by Docker's own driver, which leaves
 * them to the kernel's defaults, or by an operator. Such a layer's diff folder is not the whole of its diff. The
 * functions block and run on workers.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import {
  findOverlayFeatures,
  joinFeatures,
  noOverlayFeatures,
  type OverlayFeatures,
  type OverlayPrefix,
  withFolderAt,
} from "../../../layer/index.ts";
import { readIfThere } from "../../../graphdriver/job-kit.ts";
import { findMountedLayers } from "./find-mounted.ts";
import { lowerIds, readLayer } from "../layout/layout.ts";

/** Whether the diff folder of the layer is its diff. */
export function isDiffWhole(home: string, id: string, attributePrefix: OverlayPrefix): boolean {
  return isNone(featuresOf(home, [id], attributePrefix));
}

/** As `isDiffWhole`, where that is known without a walk: some looks at small files, which need no worker. */
export function isKnownWhole(home: string, id: string, attributePrefix: OverlayPrefix): boolean {
  return attributePrefix === "user." || lastUnknownMount(home, id) === undefined;
}

/** Whether the diff folders of the layer and of those below tell all that it changes. */
export function areDiffsWhole(home: string, id: string, attributePrefix: OverlayPrefix): boolean {
  return isNone(featuresOf(home, [id, ...lowerIds(home, readLayer(home, id))], attributePrefix));
}

/**
 * What overlay keeps of these layers elsewhere. Costs a walk of those that somebody else mounted for writing since they
 * were looked at or mounted here; layers of an image seldom ever were. In a user namespace overlay has no such
 * features.
 */
export function featuresOf(home: string, ids: readonly string[], attributePrefix: OverlayPrefix): OverlayFeatures {
  if (attributePrefix === "user.") return noOverlayFeatures;
  return ids.map((id) => featuresOfLayer(home, id, attributePrefix)).reduce(joinFeatures, noOverlayFeatures);
}

/**
 * What an archive brought into a layer that was never mounted for writing is not believed: only the kernel may say
 * where a file's content is.
 */
function featuresOfLayer(home: string, id: string, attributePrefix: OverlayPrefix): OverlayFeatures {
  const mount = lastUnknownMount(home, id);
  if (mount === undefined) return noOverlayFeatures;
  const found = withFolderAt(`${home}/${id}/diff`, (folder) => findOverlayFeatures(folder, attributePrefix));
  // What is mounted may be written to still, under whatever settings.
  if (isNone(found) && !findMountedLayers(home).includes(id)) writeMark(home, id, mount);
  return found;
}

/** The last mount for writing, unless the layer was found whole after it. */
function lastUnknownMount(home: string, id: string): string | undefined {
  const mount = lastWritableMount(home, id);
  return mount === undefined || mount === readMark(home, id) ? undefined : mount;
}

/** Notes that the layer, whole until now, was mounted for writing by this driver, which leaves it so. */
export function markWhole(home: string, id: string, attributePrefix: OverlayPrefix): void {
  const mount = attributePrefix === "user." ? undefined : lastWritableMount(home, id);
  if (mount !== undefined) writeMark(home, id, mount);
}

/**
 * Tells a layer's last mount for writing from any other; `undefined` where there never was one. For each the kernel
 * makes a folder of its own anew, whose inode and time of birth are its own. Source: Linux v6.1 `fs/overlayfs/super.c`
 * `ovl_workdir_create`.
 */
function lastWritableMount(home: string, id: string): string | undefined {
  const status = statSync(`${home}/${id}/work/work`, { bigint: true, throwIfNoEntry: false });
  return status && `${status.ino}:${status.birthtimeNs}`;
}

function markOf(home: string, id: string): string {
  return `${home}/${id}/whole`;
}

function readMark(home: string, id: string): string | undefined {
  return readIfThere(markOf(home, id));
}

/** One that cannot be written, on a full disk say, costs a walk later. */
function writeMark(home: string, id: string, mount: string): void {
  if (mount.endsWith(":0")) return; // a file system that knows no births
  try {
    writeInPlace(markOf(home, id), mount);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** To empty a file before it is written anew has ext4 write it to the disk when it is closed. */
function writeInPlace(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    const sizeBytes = writeSync(file, text, 0);
    if (fstatSync(file).size !== sizeBytes) ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
}

function isNone({ redirects, metacopies }: OverlayFeatures): boolean {
  return !redirects && !metacopies;
}
