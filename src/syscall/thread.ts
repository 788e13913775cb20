import { CLONE_FS } from "./flags.ts";
import { bindSystemCall, check } from "./libc.ts";

const unshareCall = bindSystemCall("unshare", "int");
const umaskCall = bindSystemCall("umask", "uint");
const fchdirCall = bindSystemCall("fchdir", "int");

/**
 * Gives the calling thread a working directory and a umask of its own, and clears the umask: files are then made with
 * the modes a layer says, and `changeDirectory` moves nobody else. For worker threads; needs no privilege. Source:
 * unshare(2).
 */
export function detachThread(): void {
  check(unshareCall(CLONE_FS), "unshare");
  umaskCall(0);
}

/** The thread's working directory becomes an open folder. Only after `detachThread`. */
export function changeDirectory(descriptor: number): void {
  check(fchdirCall(descriptor), "fchdir");
}
