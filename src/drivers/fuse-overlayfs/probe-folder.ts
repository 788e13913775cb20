/** Whether fuse-overlayfs could keep a store in a folder; a worker's module. */
import type { MissingAbility } from "../../errors/index.ts";
import { fileSystemName, withFolderAt } from "../../syscall/index.ts";
import { ownAttributePrefix } from "../overlay/layout/own-attributes.ts";
import { attributeless, type ProbeFindings, unprivileged, unwritable } from "../../graphdriver/probe-kit.ts";
import { missingPrerequisite } from "./prerequisites.ts";

export const moduleUrl = import.meta.url;

/**
 * Asks for the program, the device and what files can keep. Mounts nothing: the program goes to the background, and
 * would outlive a probe that is killed.
 */
export function probeFolder(folder: string): ProbeFindings {
  const fileSystem = withFolderAt(folder, fileSystemName); // which says so where there is no folder
  const attribute = `${ownAttributePrefix()}overlay.opaque`;
  const missing =
    missingPrerequisite() ??
    unprivileged() ??
    (fileSystem === "overlayfs" ? withoutWhiteouts(fileSystem) : undefined) ??
    unwritable(folder) ??
    attributeless(folder, attribute);
  return { missing, features: [] };
}

/**
 * An overlay of the kernel keeps whiteouts of its own, and lets nobody else make one. Source: `probe.ts`,
 * `keepDeletions`.
 */
function withoutWhiteouts(fileSystem: string): MissingAbility {
  const needed = "a file system that keeps overlay's whiteouts";
  return { reason: "incompatible-file-system", needed, probed: "statfs(2)", seen: fileSystem };
}
