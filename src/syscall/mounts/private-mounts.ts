import { CLONE_NEWNS, MS_PRIVATE, MS_REC } from "../flags.ts";
import { bindSystemCall, check } from "../libc.ts";
import { mount } from "./mount.ts";

const unshareCall = bindSystemCall("unshare", "int");

/**
 * Gives the calling thread mounts of its own, for good: what it mounts from here on no other process sees, and the
 * kernel takes it away with the thread, however that ends. Needs CAP_SYS_ADMIN. Source: unshare(2),
 * mount_namespaces(7).
 */
export function detachMounts(): void {
  check(unshareCall(CLONE_NEWNS), "unshare CLONE_NEWNS");
  mount("none", "/", "none", MS_REC | MS_PRIVATE, "");
}
