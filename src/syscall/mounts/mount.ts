import { AT_FDCWD } from "../flags.ts";
import { bindSystemCall, check, cString, emptyPath, errnos, lastErrno, type PathBytes } from "../libc.ts";

const mountCall = bindSystemCall("mount", "void *", "void *", "void *", "long", "void *");
const umount2Call = bindSystemCall("umount2", "void *", "int");
const fsopenCall = bindSystemCall("fsopen", "void *", "uint");
const fsconfigCall = bindSystemCall("fsconfig", "int", "uint", "void *", "void *", "int");
const fsmountCall = bindSystemCall("fsmount", "int", "uint", "uint");
const moveMountCall = bindSystemCall("move_mount", "int", "void *", "int", "void *", "uint");

/** mount(2). `data` may hold 4,095 bytes, the page that the kernel copies. */
export function mount(source: string, target: PathBytes, type: string, flags: number, data: PathBytes): void {
  const typeBytes = Buffer.from(`${type}\0`);
  const sourceBytes = Buffer.from(`${source}\0`);
  check(mountCall(sourceBytes, cString(target), typeBytes, flags, cString(data, 1)), "mount", target);
}

export function umount2(target: PathBytes, flags: number): void {
  check(umount2Call(cString(target), flags), "umount2", target);
}

/** As `umount2`, without an exception where nothing is mounted, which is false. */
export function umountIfMounted(target: PathBytes, flags: number): boolean {
  const result = umount2Call(cString(target), flags);
  const errno = result < 0 ? lastErrno() : 0;
  if (errno === errnos.EINVAL || errno === errnos.ENOENT) return false;
  check(result, "umount2", target);
  return true;
}

/** Source: `enum fsconfig_command`, `linux/mount.h` v6.1. */
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

/** A new file system that is being configured, of Linux 5.2's mount API; the descriptor is the caller's to close. */
export function fsopen(type: string): number {
  return check(fsopenCall(cString(type), FSOPEN_CLOEXEC), "fsopen", type);
}

/**
 * Sets one parameter. The kernel refuses values of 256 bytes and more, so long paths are given relative to the working
 * directory.
 */
export function fsconfigString(context: number, key: string, value: PathBytes): void {
  check(fsconfigCall(context, FSCONFIG_SET_STRING, cString(key), cString(value, 1), 0), `fsconfig ${key}`, value);
}

/** Sets a parameter that has no value. */
export function fsconfigFlag(context: number, key: string): void {
  check(fsconfigCall(context, FSCONFIG_SET_FLAG, cString(key), null, 0), `fsconfig ${key}`);
}

/** Makes the file system and returns a descriptor of a mount of it that lies nowhere yet. */
export function fsmount(context: number, attributes: number): number {
  check(fsconfigCall(context, FSCONFIG_CMD_CREATE, null, null, 0), "fsconfig create");
  return check(fsmountCall(context, FSMOUNT_CLOEXEC, attributes), "fsmount");
}

/** Puts a mount made by `fsmount` at `target`. */
export function moveMount(mountDescriptor: number, target: PathBytes): void {
  check(
    moveMountCall(mountDescriptor, emptyPath, AT_FDCWD, cString(target, 1), MOVE_MOUNT_F_EMPTY_PATH),
    "move_mount",
    target,
  );
}
