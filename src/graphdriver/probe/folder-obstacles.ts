/** What keeps any driver, or any that mounts, from working in a folder; found out by reading. */
import { accessSync, constants, readFileSync } from "node:fs";
import { isSystemError, type MissingAbility } from "../../errors/index.ts";
import { close, fileSystemName, fsetxattr, O_RDWR, O_TMPFILE, openPath, withFolderAt } from "../../syscall/index.ts";

/** What the kernel shows of itself in files: root may write there, and nothing that it makes stays. */
const kernelsOwn = ["binfmt_misc", "bpf", "cgroup", "cgroup2", "debugfs", "devpts", "efivarfs", "nsfs", "proc"];
const keepsNothing = new Set([...kernelsOwn, "pstore", "securityfs", "sysfs", "tracefs"]);

/** Nothing can be kept where nothing can be written. */
export function unwritable(folder: string): MissingAbility | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const fileSystem = withFolderAt(folder, fileSystemName);
    if (!keepsNothing.has(fileSystem)) return undefined;
    const needed = "a file system that keeps files";
    const probed = `statfs(2) of "${folder}"`;
    return { reason: "incompatible-file-system", needed, probed, seen: fileSystem };
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

/**
 * Overlays keep their books in attributes, which a file without a name is given here: it is gone with its descriptor.
 * Where a file system has no such files, or no room for one, nothing is known.
 */
export function attributeless(folder: string, attribute: string): MissingAbility | undefined {
  let file: number;
  try {
    file = openPath(folder, O_TMPFILE | O_RDWR, 0o600);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
  try {
    fsetxattr(file, attribute, Buffer.from("n"));
    return undefined;
  } catch (error) {
    if (!isSystemError(error, "ENOTSUP", "EPERM")) return undefined;
    const needed = `a file system that keeps ${attribute}`;
    const probed = `setxattr(2) of a file without a name in "${folder}"`;
    return { reason: "incompatible-file-system", needed, probed, seen: error.message };
  } finally {
    close(file);
  }
}
