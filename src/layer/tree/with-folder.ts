import {
  close,
  type FileStatus,
  fstat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  withDescriptor,
} from "../../syscall/index.ts";

export { withFolderAt } from "../../syscall/index.ts";

/** Opens the folder `name`, never through a symlink, for as long as `visit` runs. */
export function withFolder<T>(parent: number, name: Buffer | string, visit: (descriptor: number) => T): T {
  return withDescriptor(openFolder(parent, name), visit);
}

/** Opens the folder `name`, never through a symlink; the descriptor is the caller's to close. */
export function openFolder(parent: number, name: Buffer | string): number {
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** What was just opened; closed where the kernel does not tell. */
export function statOpened(descriptor: number): FileStatus {
  return orClose(descriptor, () => fstat(descriptor));
}

/** Does what is first done with what was just opened, before anybody else has it to close: closed where that fails. */
export function orClose<T>(descriptor: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    close(descriptor);
    throw error;
  }
}
