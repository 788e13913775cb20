/**
 * Layers that were not written under this driver's settings (`mount-switches.ts`): by Docker's own driver, which leaves them to the
 * kernel's defaults, or by an operator. Such a layer's diff folder is not the whole of its diff. The functions block and run on
 * workers.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  findOverlayFeatures,
  joinFeatures,
  noOverlayFeatures,
  type OverlayFeatures,
  type OverlayPrefix,
  withFolderAt,
} from "../../layer/index.ts";
import { findMountedLayers } from "./find-mounted.ts";
import { lowerIds, readLayer } from "./layout.ts";

/** Whether the diff folder of the layer is its diff. */
export function isDiffWhole(home: string, id: string, attributePrefix: OverlayPrefix): boolean {
  return isNone(featuresOf(home, [id], attributePrefix));
}

/** Whether the diff folders of the layer and of those below tell all that it changes. */
export function areDiffsWhole(home: string, id: string, attributePrefix: OverlayPrefix): boolean {
  return isNone(featuresOf(home, [id, ...lowerIds(home, readLayer(home, id))], attributePrefix));
}

/**
 * What overlay keeps of these layers elsewhere. Costs a walk of each that was ever mounted for writing, which layers of an image
 * seldom are; one that has a child and was found whole is not walked again. In a user namespace overlay has no such features.
 */
export function featuresOf(home: string, ids: readonly string[], attributePrefix: OverlayPrefix): OverlayFeatures {
  if (attributePrefix === "user.") return noOverlayFeatures;
  return ids
    .filter((id) => wasMountedForWriting(home, id) && !isMarkedWhole(home, id))
    .map((id) => featuresOfLayer(home, id, attributePrefix))
    .reduce(joinFeatures, noOverlayFeatures);
}

function featuresOfLayer(home: string, id: string, attributePrefix: OverlayPrefix): OverlayFeatures {
  const found = withFolderAt(`${home}/${id}/diff`, (folder) => findOverlayFeatures(folder, attributePrefix));
  // A mount from before it had a child may be written to still, and not be this driver's own.
  if (isNone(found) && existsSync(markOf(home, id)) && !findMountedLayers(home).includes(id)) {
    writeFileSync(markOf(home, id), whole);
  }
  return found;
}

/** In the file that says that the layer has a child, of which Docker asks only whether it is there. */
const whole = "whole";

function isMarkedWhole(home: string, id: string): boolean {
  return existsSync(markOf(home, id)) && readFileSync(markOf(home, id), "latin1") === whole;
}

function markOf(home: string, id: string): string {
  return `${home}/${id}/committed`;
}

/**
 * The kernel leaves a folder of its own there. What an archive brought into other layers is not believed: only the kernel may
 * say where a file's content is. Source: Linux v6.1 `fs/overlayfs/super.c` `ovl_workdir_create`.
 */
function wasMountedForWriting(home: string, id: string): boolean {
  return existsSync(`${home}/${id}/work/work`);
}

function isNone({ redirects, metacopies }: OverlayFeatures): boolean {
  return !redirects && !metacopies;
}
