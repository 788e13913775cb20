/** What a machine must have, found out by reading. */
import { accessSync, constants } from "node:fs";
import { isSystemError, type MissingAbility } from "../../errors/index.ts";
import { findProgram, searchPath } from "./program.ts";

export const fuseDevice = "/dev/fuse";
const reason = "prerequisites";

/** The path of fuse-overlayfs, or `undefined`. */
export function findFuseOverlayfs(): string | undefined {
  return findProgram("fuse-overlayfs");
}

/** The first thing in the way of any mount. */
export function missingPrerequisite(): MissingAbility | undefined {
  return ordinaryUser() ?? missingProgram() ?? closedDevice();
}

/** An ordinary user could mount, but nobody else could read it, and owners could not be kept. */
function ordinaryUser(): MissingAbility | undefined {
  const uid = process.geteuid?.();
  if (uid === 0) return undefined;
  return { reason, needed: "root, if only of a user namespace", probed: "geteuid(2)", seen: String(uid) };
}

function missingProgram(): MissingAbility | undefined {
  if (findFuseOverlayfs() !== undefined) return undefined;
  const needed = "the program fuse-overlayfs (Debian's package of that name)";
  return { reason, needed, probed: "PATH", seen: searchPath() };
}

/** @throws a system error when FUSE's device is not there, or not open to this process. */
export function accessFuse(): void {
  accessSync(fuseDevice, constants.R_OK | constants.W_OK);
}

function closedDevice(): MissingAbility | undefined {
  try {
    accessFuse();
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { reason, needed: "FUSE (modprobe fuse), open to this process", probed: fuseDevice, seen: error.message };
  }
}
