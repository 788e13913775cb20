import { isSystemError } from "../../errors/index.ts";
import {
  close,
  dropWriteProtection,
  isDirectory,
  isRegularFile,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  statIfThere,
  tryOpenat,
} from "../../syscall/index.ts";

/**
 * Runs `step`, which moves or removes `name` in an open folder. Where the kernel forbids it because a container has
 * marked that immutable or append-only, the mark is taken away, and the step is run once more; `folders` are those that
 * may be marked, too, and are the layer's.
 */
export function despiteProtection<T>(
  folder: number,
  name: Buffer | string,
  folders: readonly number[],
  step: () => T,
): T {
  try {
    return step();
  } catch (error) {
    if (!isSystemError(error, "EPERM")) throw error;
    const dropped = [...folders.map(dropWriteProtection), dropProtectionOf(folder, name)];
    if (!dropped.includes(true)) throw error;
  }
  return step();
}

/** Only files and folders can have a mark; to open a device would reach the host's own. */
function dropProtectionOf(folder: number, name: Buffer | string): boolean {
  const status = statIfThere(folder, name);
  if (status === undefined || !(isRegularFile(status) || isDirectory(status))) return false;
  const descriptor = tryOpenat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return false;
  try {
    return dropWriteProtection(descriptor);
  } finally {
    close(descriptor);
  }
}
