import { statSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";

/**
 * Looks whether what stands at `path` is the folder still that stands there now: when it is moved, unmounted or mounted
 * over, another may stand there, and whatever is done by path would be done to that. Costs one stat(2), of what the
 * kernel has at hand: to wait for another thread to do it takes ten times as long. `subject` is what the folder is to
 * who is told, "root" or "home".
 * @throws FAILED_PRECONDITION when it cannot be looked at; from what is returned, when another folder or none is there.
 * @throws UNAVAILABLE from what is returned, when it cannot be looked at now, as on a disk or server that fails: nobody
 * who comes by the path finds anything there then.
 */
export function keepToFolder(path: string, subject: string): () => void {
  const shown = `${subject} ${JSON.stringify(path)}`;
  const opened = lookAt(path, (error) => {
    throw new CleatError("FAILED_PRECONDITION", `${shown} cannot be looked at`, { cause: error });
  });
  return () => {
    const found = lookAt(path, (error) => {
      if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
      throw new CleatError("UNAVAILABLE", `${shown} cannot be looked at now: ${error.message}`, { cause: error });
    });
    if (found === opened) return;
    const message = `${shown} is not the folder any more that was opened: it was moved, unmounted or mounted over`;
    throw new CleatError("FAILED_PRECONDITION", message);
  };
}

/** What tells a folder from others. */
function lookAt(path: string, onFailure: (error: Error) => undefined): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isSystemError(error)) return onFailure(error);
    throw error;
  }
}
