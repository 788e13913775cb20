/** Whether fuse-overlayfs could keep a store in a folder; a worker's module. */
import { withFolderAt } from "../../layer/index.ts";
import { ownAttributePrefix } from "../overlay2/own-attributes.ts";
import { attributeless, unprivileged, unwritable } from "../selection/folder-obstacles.ts";
import type { Findings } from "../selection/run-probe.ts";
import { missingPrerequisite } from "./prerequisites.ts";

export const moduleUrl = import.meta.url;

/**
 * Asks for the program, the device and what files can keep. Mounts nothing: the program goes to the background, and would
 * outlive a probe that is killed.
 */
export function probeFolder(folder: string): Findings {
  withFolderAt(folder, () => {}); // which says so where there is none
  const attribute = `${ownAttributePrefix()}overlay.opaque`;
  const missing = missingPrerequisite() ?? unprivileged() ?? unwritable(folder) ?? attributeless(folder, attribute);
  return { missing, features: [] };
}
