/** What keeps any driver, or any that mounts, from working in a folder; found out by reading. */
import { accessSync, constants, readFileSync } from "node:fs";
import { isSystemError, type MissingAbility } from "../errors/index.ts";

/** Nothing can be kept where nothing can be written. */
export function unwritable(folder: string): MissingAbility | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    if (!isSystemError(error, "EACCES", "EROFS", "EPERM")) throw error;
    const needed = "a folder that this user may write";
    return { reason: "prerequisites", needed, probed: `access(2) of "${folder}"`, seen: error.message };
  }
}

/** Source: `CAP_SYS_ADMIN`, `linux/capability.h` v6.1. */
const mountingBit = 21n;

/** Mounting takes one capability, which root of a container may lack and an ordinary user does. */
export function unprivileged(): MissingAbility | undefined {
  const file = "/proc/thread-self/status";
  const mask = /^CapEff:\s*([\da-f]+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "0";
  if ((BigInt(`0x${mask}`) >> mountingBit) & 1n) return undefined;
  const seen = `user ${process.geteuid?.()} with CapEff ${mask}`;
  return { reason: "prerequisites", needed: "root's privileges (CAP_SYS_ADMIN)", probed: file, seen };
}
