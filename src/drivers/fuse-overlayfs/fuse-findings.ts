import { isSystemError } from "../../errors/index.ts";
import { accessFuse, findFuseOverlayfs, fuseDevice } from "./prerequisites.ts";
import { runProgram } from "./program.ts";

/** What a driver that is a program needs. */
export interface FuseFindings {
  readonly device: { readonly path: string; readonly usable: boolean; readonly note: string | null };
  /** `null` where there is no such program in `PATH`. */
  readonly program: { readonly path: string; readonly version: string | null } | null;
}

export async function examineFuse(): Promise<FuseFindings> {
  const path = findFuseOverlayfs();
  return { device: examineDevice(), program: path === undefined ? null : { path, version: await versionOf(path) } };
}

function examineDevice(): FuseFindings["device"] {
  try {
    accessFuse();
    return { path: fuseDevice, usable: true, note: null };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { path: fuseDevice, usable: false, note: error.code };
  }
}

/** "fuse-overlayfs: version 1.10" */
async function versionOf(path: string): Promise<string | null> {
  // that it is there is told
  const outcome = await runProgram(path, ["--version"], { deadlineMs }).catch(() => undefined);
  return /^fuse-overlayfs: version (\S+)/m.exec(outcome?.stdout ?? "")?.[1] ?? null;
}

/** A program that hangs is killed. */
const deadlineMs = 2_000;
