import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { showBytes } from "./entry-name.ts";

/** Names the entry at the byte string `path` in what making it failed with; says what an owner's EINVAL means. */
export function toEntryError(error: unknown, path: string, { uid, gid }: { uid: number; gid: number }): CleatError {
  const subject = `entry ${showBytes(path)}`;
  // Ids are in range, so that the kernel knows but one reason. Source: chown(2), user_namespaces(7).
  if (isSystemError(error, "EINVAL") && error.syscall.startsWith("fchown")) {
    const message = `${subject} belongs to ${uid}:${gid}, an owner that this user namespace does not map`;
    return new CleatError("INVALID_ARGUMENT", message, { cause: error });
  }
  return toCleatError(error, subject);
}
