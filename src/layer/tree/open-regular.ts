import { SystemError } from "../../errors/index.ts";
import {
  close,
  errnos,
  type FileStatus,
  isRegularFile,
  lastErrno,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  tryOpenat,
} from "../../syscall/index.ts";
import { statOpened } from "./with-folder.ts";

/**
 * Opens a file to read it; `undefined` where it vanished since it was listed, as files in a running container do. What
 * took its name meanwhile is nothing to read either: a container may make a node of the host's disk, and leaves it to
 * us to open it.
 */
export function openRegular(folder: number, base: Buffer): number | undefined {
  return openRegularFile(folder, base)?.descriptor;
}

export interface OpenRegularFile {
  readonly descriptor: number;
  readonly status: FileStatus;
}

/** As `openRegular`, with what is known of the file. */
export function openRegularFile(folder: number, base: Buffer): OpenRegularFile | undefined {
  const descriptor = tryOpenat(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor >= 0) {
    const status = statOpened(descriptor);
    if (isRegularFile(status)) return { descriptor, status };
    close(descriptor);
    return undefined;
  }
  const gone: readonly number[] = [errnos.ENOENT, errnos.ELOOP, errnos.ENXIO];
  if (gone.includes(lastErrno())) return undefined;
  throw new SystemError(lastErrno(), "openat", base);
}
