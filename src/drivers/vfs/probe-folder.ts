/** Whether vfs could keep a store in a folder; a worker's module. */
import { withFolderAt } from "../../syscall/index.ts";
import { type ProbeFindings, unwritable } from "../../graphdriver/probe-kit.ts";

export const moduleUrl = import.meta.url;

/** Copies work wherever files can be made. Reads only. Blocks. */
export function probeFolder(folder: string): ProbeFindings {
  return { missing: withFolderAt(folder, () => unwritable(folder)), features: [] };
}
