import { bindSystemCall, check } from "./libc.ts";

const fsyncCall = bindSystemCall("fsync", "int");
const syncfsCall = bindSystemCall("syncfs", "int");

/** Makes one file, or the names in one folder, survive power loss. */
export function fsync(descriptor: number): void {
  check(fsyncCall(descriptor), "fsync");
}

/** Makes everything written to the file system that holds `descriptor` survive power loss. */
export function syncfs(descriptor: number): void {
  check(syncfsCall(descriptor), "syncfs");
}
