import { isSystemError, toCleatError } from "../../../errors/index.ts";

/** Whether a mount that was tried failed for want of something, or of the disk: what the machine can do it says not. */
export function isPassingFailure(error: unknown): boolean {
  return toCleatError(error).code === "RESOURCE_EXHAUSTED" || isSystemError(error, "EIO");
}
