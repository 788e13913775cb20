import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isSystemError } from "../errors/index.ts";

/** What a driver that is a program needs. */
export interface FuseFindings {
  readonly device: { readonly path: string; readonly usable: boolean; readonly note: string | null };
  /** `null` where there is no such program in `PATH`. */
  readonly program: { readonly path: string; readonly version: string | null } | null;
}

const device = "/dev/fuse";
const program = "fuse-overlayfs";

export async function examineFuse(env: NodeJS.ProcessEnv = process.env): Promise<FuseFindings> {
  return { device: examineDevice(), program: await findProgram(env["PATH"] ?? "") };
}

function examineDevice(): FuseFindings["device"] {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return { path: device, usable: true, note: null };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { path: device, usable: false, note: error.code };
  }
}

async function findProgram(searchPath: string): Promise<FuseFindings["program"]> {
  for (const folder of searchPath.split(":").filter((name) => name.startsWith("/"))) {
    const path = join(folder, program);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { path, version: await versionOf(path) };
  }
  return null;
}

/** A program that hangs is killed. */
const timeoutMs = 2_000;

/** "fuse-overlayfs: version 1.10", in the first line that has a version; `null` where it has none. */
async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout, stderr } = await promisify(execFile)(path, ["--version"], {
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    return /fuse-overlayfs: version (\S+)/.exec(`${stdout}${stderr}`)?.[1] ?? null;
  } catch {
    return null; // killed, or it does not run here; that it is there is told
  }
}
