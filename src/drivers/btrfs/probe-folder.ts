/** Whether btrfs could keep a store in a folder; a worker's module. */
import { isSystemError, type MissingAbility, UnsupportedError } from "../../errors/index.ts";
import { quotaState, withFolderAt } from "../../syscall/index.ts";
import { type ProbeFindings, unwritable } from "../../graphdriver/probe-kit.ts";
import type { ProbedFeature } from "../../graphdriver/index.ts";
import { probeBtrfs } from "./probe.ts";

export const moduleUrl = import.meta.url;

/** Reads only. Blocks. */
export function probeFolder(folder: string): ProbeFindings {
  const missing = obstacleIn(folder) ?? unwritable(folder);
  return { missing, features: missing?.reason === "incompatible-file-system" ? [] : [quotaGroups(folder)] };
}

function obstacleIn(folder: string): MissingAbility | undefined {
  try {
    probeBtrfs(folder);
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return error.missing;
    throw error;
  }
}

/** On or not: the first container that asks for a size turns them on. */
function quotaGroups(folder: string): ProbedFeature {
  const name = "quota groups";
  const how = "ioctl(2) BTRFS_IOC_TREE_SEARCH";
  try {
    return { name, state: "yes", how, note: `now ${withFolderAt(folder, quotaState)}` };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { name, state: "unknown", how, note: error.message };
  }
}
