/** Whether fuse-overlayfs could keep a store in a folder; a worker's module. */
import type { MissingAbility } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { isInUserNamespace } from "../../syscall/index.ts";
import { attributeless, unprivileged, unwritable } from "../folder-obstacles.ts";
import { examineFuse, type FuseFindings } from "../fuse-findings.ts";
import type { Findings } from "../run-probe.ts";
import { searchPath } from "./program.ts";

export const moduleUrl = import.meta.url;

/**
 * Asks for the program, the device and what files can keep. Mounts nothing: the program goes to the background, and would
 * outlive a probe that is killed.
 */
export async function probeFolder(folder: string): Promise<Findings> {
  withFolderAt(folder, () => {}); // which says so where there is none
  const attribute = `${isInUserNamespace() ? "user." : "trusted."}overlay.opaque`;
  const missing =
    withoutProgram(await examineFuse()) ?? unprivileged() ?? unwritable(folder) ?? attributeless(folder, attribute);
  return { missing, features: [] };
}

function withoutProgram({ program, device }: FuseFindings): MissingAbility | undefined {
  const reason = "prerequisites";
  if (program === null) {
    const needed = "the program fuse-overlayfs (in Debian the package of that name)";
    return { reason, needed, probed: "PATH", seen: searchPath() };
  }
  if (program.version === null) {
    return { reason, needed: "a program that runs", probed: `${program.path} --version`, seen: "no version" };
  }
  if (device.usable) return undefined;
  const needed = "FUSE (modprobe fuse), which this process may use";
  return { reason, needed, probed: device.path, seen: device.note ?? "nothing" };
}
