import { bindSystemCall, bindSystemCallBehind, check, errnos, lastErrno, type Told } from "../libc.ts";

const fsyncCall = bindSystemCall("fsync", "int");
const syncfsCall = bindSystemCall("syncfs", "int");
const syncfsBehindCall = bindSystemCallBehind("syncfs", "int");
const fallocateBehindCall = bindSystemCallBehind("fallocate", "int", "int", "long", "long");

/** Source: `linux/falloc.h` v6.1. */
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/** Makes one file, or the names in one folder, survive power loss. */
export function fsync(descriptor: number): void {
  check(fsyncCall(descriptor), "fsync");
}

/** Makes everything written to the file system that holds `descriptor` survive power loss. */
export function syncfs(descriptor: number): void {
  check(syncfsCall(descriptor), "syncfs");
}

/**
 * The same on a thread of Node's pool, as it may take as long as the disk does. The descriptor stays open until it
 * settles.
 */
export function syncfsBehind(descriptor: number): Promise<void> {
  return behind("syncfs", (tell) => syncfsBehindCall([descriptor], tell));
}

/**
 * Sets room of the disk aside for an open file behind its end, which stays where it is; what is there stays, too. On a
 * thread of Node's pool, as `syncfsBehind`.
 * @throws SystemError ENOSPC, EOPNOTSUPP where the file system cannot do that.
 */
export function allocateBehind(descriptor: number, atBytes: number, lengthBytes: number): Promise<void> {
  return behind("fallocate", (tell) =>
    fallocateBehindCall([descriptor, FALLOC_FL_KEEP_SIZE, atBytes, lengthBytes], tell),
  );
}

/**
 * Gives the room of `lengthBytes` back to the disk, and zeros are read there. What others write elsewhere in the file
 * meanwhile is not touched. On a thread of Node's pool, as `syncfsBehind`.
 * @throws SystemError EOPNOTSUPP where the file system has no holes.
 */
export function punchHoleBehind(descriptor: number, atBytes: number, lengthBytes: number): Promise<void> {
  return behind("fallocate", (tell) =>
    fallocateBehindCall([descriptor, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, atBytes, lengthBytes], tell),
  );
}

function behind(name: string, begin: (tell: Told) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((failed, result) => {
      try {
        if (failed !== null) throw failed;
        check(result, name);
        resolve();
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

const fadviseCall = bindSystemCall("fadvise64", "int", "long", "long", "int");
const POSIX_FADV_DONTNEED = 4;

/** Has the next read of an open file come from the disk, but for what still waits to be written to it. */
export function dropCached(descriptor: number): void {
  check(fadviseCall(descriptor, 0, 0, POSIX_FADV_DONTNEED), "fadvise64");
}

const flockCall = bindSystemCall("flock", "int", "int");
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes the exclusive lock of an open file (flock(2)), kept until its descriptor is closed; false where another has it.
 */
export function lockFile(descriptor: number): boolean {
  if (flockCall(descriptor, LOCK_EX | LOCK_NB) === 0) return true;
  if (lastErrno() !== errnos.EAGAIN) check(-1, "flock");
  return false;
}
