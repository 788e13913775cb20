import { isSystemError, RemoteError } from "../../errors/index.ts";

/** What stands behind what: more than any failure of Cleat's has, and an end to one that leads to itself. */
const maxDepth = 8;

/** Whether the kernel has refused this user something; what a plugin was refused is the plugin's. */
export function isForbidden(failure: unknown, depth = 0): boolean {
  if (!(failure instanceof Error) || failure instanceof RemoteError || depth > maxDepth) return false;
  if (isSystemError(failure, "EACCES", "EPERM")) return true;
  const inner: readonly unknown[] = failure instanceof AggregateError ? failure.errors : [failure.cause];
  return inner.some((one) => isForbidden(one, depth + 1));
}
