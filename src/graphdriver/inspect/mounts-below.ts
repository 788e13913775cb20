import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { parseMountInfo, readMounts } from "../../syscall/index.ts";
import type { LayerMount } from "../survey.ts";

/**
 * The mounts below a home, symlinks resolved, that this process sees, and those that only other mount namespaces have,
 * as far as their processes may be looked at: removing a mount point here would unmount it there (mount_namespaces(7)).
 * Costs a look at each process.
 */
export function readMountsBelow(home: string): LayerMount[] {
  const own = readMounts()
    .filter(({ mountPoint }) => mountPoint.startsWith(`${home}/`))
    .map(({ mountPoint, fileSystemType }) => ({ mountPoint, fileSystemType, elsewhere: false }));
  const seen = new Set(own.map(({ mountPoint }) => mountPoint));
  const others: LayerMount[] = [];
  for (const { mountPoint, fileSystemType } of otherNamespaces().flatMap(mountsOf)) {
    if (!mountPoint.startsWith(`${home}/`) || seen.has(mountPoint)) continue;
    seen.add(mountPoint);
    others.push({ mountPoint, fileSystemType, elsewhere: true });
  }
  return [...own, ...others];
}

/** One process of each mount namespace but our own. */
function otherNamespaces(): string[] {
  const processes = new Map<string, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const namespace = ifReadable(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace !== undefined && !processes.has(namespace)) processes.set(namespace, pid);
  }
  processes.delete(readlinkSync("/proc/self/ns/mnt"));
  return [...processes.values()];
}

function mountsOf(pid: string) {
  return parseMountInfo(ifReadable(() => readFileSync(`/proc/${pid}/mountinfo`, "utf8")) ?? "");
}

/** Processes end, and those of others are not ours to look at. */
function ifReadable(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL")) return undefined;
    throw error;
  }
}
