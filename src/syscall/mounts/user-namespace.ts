import { readlinkSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";

/** Source: `PROC_USER_INIT_INO`, Linux v6.1 `include/linux/proc_ns.h`. */
const initialUserNamespace = "user:[4026531837]";

/**
 * Whether root of this process is root of a user namespace only, who may neither make devices nor set attributes that
 * are the host's. Asks for the namespace itself: a map of all ids onto themselves looks like the host's own.
 */
export function isInUserNamespace(): boolean {
  try {
    return readlinkSync("/proc/self/ns/user") !== initialUserNamespace;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false; // a kernel without them
    throw error;
  }
}
